/** `npm run results`: its steps, and that it continues where it stopped. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeResults, runProgram, stepsOf } from '../results/make.ts';

const root = join(import.meta.dirname, '../../..');
const { signal } = new AbortController();
const folders = { mnist: 'a', cifar10: 'b', fresh: false };
let folder = '';
let printed: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-results-'));
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

/** Runs the command with a program that fails at one step, or at none; returns the programs that ran. */
async function made(failing: string | null, fresh = false): Promise<string[]> {
  const ran: string[] = [];
  const run = (_root: string, program: string): Promise<void> => {
    ran.push(program);
    return program === failing ? Promise.reject(new Error('it failed')) : Promise.resolve();
  };
  await makeResults({ ...folders, fresh }, { root, state: join(folder, 'reports/state.json'), run, signal });
  return ran;
}

describe('npm run results', () => {
  const programs = stepsOf(folders).map(({ program }) => program);

  it('runs programs that exist, with the options that CONTRIBUTING.md names', () => {
    expect(programs.filter((program) => !existsSync(join(root, program)))).toEqual([]);
    expect(stepsOf({ ...folders, fresh: true })[2].options).toContain('--fresh');
    expect(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')).toContain(
      '`npm run results -- --mnist DIR --cifar10 DIR`',
    );
  });

  it('runs all steps, and begins again after that', async () => {
    expect(await made(null)).toEqual(programs);
    expect(printed.at(-1)).toMatch(/^all results are made, in \d+\.\d s$/);
    expect(await made(null)).toEqual(programs);
  });

  it('continues after a step that failed', async () => {
    await expect(made(programs[1])).rejects.toThrow('it failed');
    expect(await made(null)).toEqual(programs.slice(1));
    expect(printed).toContainEqual(
      expect.stringMatching(/^step 1 of 4, mnist: finished before, in .* s\. Hint: --fresh/),
    );
  });

  it('repeats finished steps with --fresh', async () => {
    await expect(made(programs[2])).rejects.toThrow('it failed');
    expect(await made(null, true)).toEqual(programs);
  });

  it('reports a program that fails', async () => {
    const program = 'examples/experiments/tests/no-such-program.ts';
    await expect(runProgram(root, program, [], signal)).rejects.toThrow(
      /^results: .*no-such-program\.ts failed\. Hint: /,
    );
  });
});
