/** The API reference that `npm run docs:api` writes: without a warning, and with every export and example. */
import { join } from 'node:path';
import {
  Application,
  type CommentDisplayPart,
  type DocumentationEntryPoint,
  type ProjectReflection,
  ReflectionKind,
} from 'typedoc';
import { beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { collectExamples, root } from './collect-examples.ts';

/** The entries of the package, as paths of their sources. */
const entries = Object.values(packageJson.exports)
  .filter((entry) => typeof entry === 'object')
  .map((entry) => entry.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, '$1.ts'));

let app: Application;
let entryPoints: DocumentationEntryPoint[];
let project: ProjectReflection;
beforeAll(async () => {
  app = await Application.bootstrap({ options: join(root, 'src/typedoc.json'), logLevel: 'Warn' });
  entryPoints = app.getEntryPoints() ?? [];
  project = app.converter.convert(entryPoints);
  app.validate(project);
}, 120_000);

/** The names that a source file exports, as TypeScript finds them. */
function exportsOf(entry: string): string[] {
  const found = entryPoints.find(({ sourceFile }) => sourceFile.fileName.endsWith(`/${entry}`));
  if (found === undefined) throw new Error(`${entry} is no entry point of src/typedoc.json`);
  const checker = found.program.getTypeChecker();
  const module = checker.getSymbolAtLocation(found.sourceFile);
  if (module === undefined) throw new Error(`${entry} exports nothing`);
  return checker.getExportsOfModule(module).map(({ name }) => name);
}

describe('the API reference', () => {
  it('is made without a warning', () => {
    expect([app.logger.errorCount, app.logger.warningCount]).toEqual([0, 0]);
  });

  it.each(entries)('has every export of %s', (entry) => {
    const name = entry.replace(/^src\/(.*)\.ts$/, '$1');
    const module = project.children?.find(
      (each) => each.kind === ReflectionKind.Module && each.name === name,
    );
    const documented = (module?.children ?? []).map((each) => each.name);
    const exported = exportsOf(entry);
    expect(exported.length).toBeGreaterThan(1);
    expect([...new Set(documented)].sort()).toEqual(exported.sort());
  });

  it('has the examples as they are tested', () => {
    const tested = collectExamples().map(({ code }) => code.trim());
    const blocks = Object.values(project.reflections).flatMap(({ comment }) =>
      (comment?.blockTags ?? [])
        .filter(({ tag }) => tag === '@example')
        .map(({ content }) => codeOf(content)),
    );
    expect(blocks.length).toBeGreaterThan(80);
    const others = blocks.filter(
      (code) => !tested.some((test) => test === code || test.includes(`(${code})`)),
    );
    expect(others).toEqual([]);
  });
});

/** The code of an example: of its block, or of its only line without the comment. */
function codeOf(content: readonly CommentDisplayPart[]): string {
  const text = content.map((part) => part.text).join('');
  const block = /^```ts\n([^]*?)\n```$/m.exec(text)?.[1] ?? '';
  return (block.includes('\n') ? block : block.replace(/ \/\/ .*$/, '')).trim();
}
