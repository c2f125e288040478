import { join } from 'node:path';
import type { Plugin } from 'vitest/config';
import { collectExamples, root } from './collect-examples.ts';

const prefix = 'virtual:example/';

/** The module name of example k. */
export function exampleModule(k: number): string {
  return `${prefix}${k}.ts`;
}

/** Makes the documentation's examples importable by tests. The examples import `gammabeta` as a user does. */
export function exampleModules(): Plugin {
  return {
    name: 'example-modules',
    enforce: 'pre', // before `gammabeta` is resolved to a build in dist
    resolveId(id) {
      if (id === 'gammabeta') return join(root, 'src/index.ts');
      if (id === 'gammabeta/node') return join(root, 'src/node.ts');
      if (id === 'gammabeta/onnx') return join(root, 'src/onnx.ts');
      return id.startsWith(prefix) ? id : null;
    },
    load(id) {
      if (!id.startsWith(prefix)) return null;
      const { code } = collectExamples()[Number.parseInt(id.slice(prefix.length))];
      return `${code}\nexport {};`;
    },
  };
}
