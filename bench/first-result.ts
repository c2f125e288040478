/** The time from the start of the import of the built library until its first result, in a fresh process. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GammaBetaError } from '../src/index.ts';

/** The program that is timed: it imports the library, computes one op, and reads the result. */
const PROGRAM = `
const begin = performance.now();
const { tensor } = await import(process.argv[1]);
await tensor([1, 2, 3]).mul(2).data();
console.log((performance.now() - begin) / 1000);
`;

/**
 * Times the first results of two checkouts in turns, each in `starts` fresh processes.
 *
 * @returns Seconds for each checkout; null if one of them is not built.
 * @throws {GammaBetaError} A process fails.
 */
export function timeFirstResults(
  roots: readonly [string, string],
  starts: number,
  signal: AbortSignal,
): [number[], number[]] | null {
  const [a, b] = roots.map((root) => join(root, 'dist/src/index.js'));
  if (!existsSync(a) || !existsSync(b)) return null;
  const seconds: [number[], number[]] = [[], []];
  for (let start = 0; start < starts; start++) {
    signal.throwIfAborted();
    seconds[0].push(timeFirstResult(a));
    seconds[1].push(timeFirstResult(b));
  }
  return seconds;
}

function timeFirstResult(module: string): number {
  const args = ['--input-type=module', '--eval', PROGRAM, pathToFileURL(module).href];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const seconds = Number(stdout);
  if (status === 0 && seconds > 0) return seconds;
  throw new GammaBetaError('first result', `the process failed: ${stderr.trim()}`, 'npm run build');
}
