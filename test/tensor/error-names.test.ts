/** Error names survive minifiers, which rename classes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GammaBetaError } from '../../src/tensor/errors.ts';
import { bundle } from '../bundles.ts';

type ErrorClass = new (op: string, problem: string, hint: string) => Error & { op: string };
type Exports = Record<string, unknown>;

const root = join(import.meta.dirname, '../..');

/** The error classes among the exports of a module. */
const errorsOf = (exported: Exports) =>
  Object.entries(exported).filter(
    (entry): entry is [string, ErrorClass] =>
      typeof entry[1] === 'function' && entry[1].prototype instanceof Error,
  );

describe('the name of every exported error class', () => {
  let folder = '';
  let minified: Exports = {};
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-errors-'));
    await bundle({
      stdin: { contents: "export * from './src/index.ts';", resolveDir: root, loader: 'ts' },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
    });
    minified = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'stdin.mjs')).href)) as Exports;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is in its errors, their text and their stack, in a minified bundle', () => {
    const classes = errorsOf(minified);
    expect(classes.map(([name]) => name)).toEqual(expect.arrayContaining(['GammaBetaError', 'ShapeError']));
    expect(classes.length).toBeGreaterThan(10);
    expect(classes.filter(([name, { name: renamed }]) => name === renamed)).toEqual([]); // they were minified
    const base = minified.GammaBetaError as ErrorClass;
    for (const [name, Class] of classes) {
      const error = new Class('op', 'problem', 'hint');
      expect(error.name).toBe(name);
      expect(error).toBeInstanceOf(base);
      expect(String(error)).toBe(`${name}: ${error.message}`);
      expect(error.stack?.startsWith(`${name}: ${error.message}\n`)).toBe(true);
    }
  });

  it('is the name of the class, in the source', async () => {
    const classes = errorsOf(await import('../../src/index.ts'));
    expect(classes.length).toBe(errorsOf(minified).length);
    for (const [name, Class] of classes) {
      expect(Class.name).toBe(name);
      expect(new Class('op', 'problem', 'hint').name).toBe(name);
      expect(new Class('op', 'problem', 'hint')).toBeInstanceOf(GammaBetaError);
    }
  });
});
