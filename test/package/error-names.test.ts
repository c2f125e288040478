/** Error names survive minifiers, which rename classes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as source from '../../src/index.ts';
import { bundle, installPacked } from './bundles.ts';

type ErrorClass = new (op: string, problem: string, hint: string) => Error & { op: string };
type Exports = Record<string, unknown>;

/** The error classes among the exports of a module. */
const errorsOf = (exported: Exports) =>
  Object.entries(exported).filter(
    (entry): entry is [string, ErrorClass] =>
      typeof entry[1] === 'function' && entry[1].prototype instanceof Error,
  );

const load = async (file: string): Promise<Exports> =>
  (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Exports;

describe('the name of every exported error class', () => {
  let folder = '';
  const minified: Record<string, Exports> = {};
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-errors-'));
    const app = installPacked(folder);
    await bundle({
      stdin: {
        contents: "export * from 'gammabeta'; export * from 'gammabeta/node';",
        resolveDir: app,
      },
      platform: 'node',
      outdir: folder,
      outExtension: { '.js': '.mjs' },
    });
    minified['bundled by esbuild'] = await load(join(folder, 'stdin.mjs'));
    minified['gammabeta.min.js'] = await load(join(app, 'node_modules/gammabeta/dist/gammabeta.min.js'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['bundled by esbuild', 'gammabeta.min.js'])(
    'is in its errors, their text and their stack: %s',
    (which) => {
      const classes = errorsOf(minified[which]);
      const names = errorsOf(source).map(([name]) => name);
      expect(names).toEqual(expect.arrayContaining(['GammaBetaError', 'ShapeError']));
      expect(classes.map(([name]) => name).sort()).toEqual(names.sort());
      expect(classes.filter(([name, { name: renamed }]) => name === renamed)).toEqual([]); // they were minified
      const base = minified[which].GammaBetaError as ErrorClass;
      for (const [name, Class] of classes) {
        const error = new Class('op', 'problem', 'hint');
        expect(error.name).toBe(name);
        expect(error).toBeInstanceOf(base);
        expect(String(error)).toBe(`${name}: ${error.message}`);
        expect(error.stack?.startsWith(`${name}: ${error.message}\n`)).toBe(true);
      }
    },
  );

  it('is the name of the class, in the source', () => {
    for (const [name, Class] of errorsOf(source)) {
      expect(Class.name).toBe(name);
      expect(new Class('op', 'problem', 'hint').name).toBe(name);
      expect(new Class('op', 'problem', 'hint')).toBeInstanceOf(source.GammaBetaError);
    }
  });
});
