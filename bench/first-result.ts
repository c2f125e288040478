/** The time from starting to import the built library until its first result, in a fresh process. */
import { spawnSync } from 'node:child_process';
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
 * Starts a process that imports `module`, and returns the seconds until its first result.
 *
 * @throws {GammaBetaError} The process fails.
 */
export function timeFirstResult(module: string): number {
  const args = ['--input-type=module', '--eval', PROGRAM, pathToFileURL(module).href];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const seconds = Number(stdout);
  if (status === 0 && seconds > 0) return seconds;
  throw new GammaBetaError('first result', `the process failed: ${stderr.trim()}`, 'npm run build');
}
