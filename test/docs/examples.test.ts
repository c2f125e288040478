import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { manualSeed, useDevice } from '../../src/index.ts';
import { collectExamples, root } from './collect-examples.ts';
import { exampleModule } from './example-modules.ts';

const examples = collectExamples();
const mnistDir = process.env.MNIST_DIR ?? join(root, '../shared/data/mnist');
const hasMnist = existsSync(mnistDir);

describe('every example of the documentation', () => {
  beforeEach(async () => {
    await useDevice('wasm'); // the default, which an earlier example may have changed
    manualSeed(0);
    if (hasMnist) vi.stubEnv('MNIST_DIR', mnistDir);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('is collected', () => {
    expect(examples.length).toBeGreaterThan(40);
  });

  it('compiles', () => {
    const names = examples.map((_, k) => join(root, 'test', `example-${k}.ts`));
    const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile.bind(ts.sys));
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
    const paths = {
      gammabeta: ['./src/index.ts'],
      'gammabeta/node': ['./src/node.ts'],
      'gammabeta/onnx': ['./src/onnx.ts'],
    };
    const lenient = {
      noUnusedLocals: false,
      noUnusedParameters: false,
      isolatedDeclarations: false,
      declaration: false,
    };
    const allOptions: ts.CompilerOptions = { ...options, ...lenient, paths };
    const host = ts.createCompilerHost(allOptions);
    const onDisk = { ...host };
    const inMemory = (name: string) => (names.includes(name) ? examples[names.indexOf(name)] : undefined);
    host.readFile = (name) => {
      const example = inMemory(name);
      return example === undefined ? onDisk.readFile(name) : `${example.code}\nexport {};`;
    };
    host.fileExists = (name) => inMemory(name) !== undefined || onDisk.fileExists(name);
    const program = ts.createProgram(names, allOptions, host);
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
      const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
      const title = inMemory(file?.fileName ?? '')?.title ?? file?.fileName;
      return `${title} + ${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    expect(problems).toEqual([]);
  });

  examples.forEach((example, k) => {
    const needsData = example.code.includes('loadMnist');
    it.skipIf(needsData && !hasMnist)(`prints what its comments state: ${example.title}`, async () => {
      const printed: string[] = [];
      vi.spyOn(console, 'log').mockImplementation((...args) => {
        printed.push(format(...args));
      });
      await import(/* @vite-ignore */ exampleModule(k));
      const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
      if (example.expected.length > 0) expect(printed.map(oneLine)).toEqual(example.expected.map(oneLine));
    });
  });
});
