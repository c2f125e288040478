/** The steps that make the committed results, and how they are run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GammaBetaError } from '../../../src/index.ts';
import { writeJson } from '../cli/write-json.ts';

export interface Folders {
  /** The folder with the files of MNIST. */
  readonly mnist: string;
  /** The folder with the files of CIFAR-10. */
  readonly cifar10: string;
  /** Whether steps and runs of the lab that are finished are repeated. */
  readonly fresh: boolean;
}

/** A program of the repository that makes a file of results. */
export interface Step {
  readonly name: 'mnist' | 'cifar10' | 'lab' | 'documents';
  readonly program: string;
  readonly options: readonly string[];
}

export function stepsOf({ mnist, cifar10, fresh }: Folders): readonly Step[] {
  const json = (name: string) => ['--json', `examples/experiments/results/${name}.json`];
  const [mnistFiles, cifar10Files] = [mnist, cifar10].map((folder) => ['--data', resolve(folder)]);
  return [
    {
      name: 'mnist',
      program: 'examples/experiments/mnist-batchnorm.ts',
      options: [...mnistFiles, '--nets', 'plain,bn,bn-pre', '--seed', '1,2,3', ...json('mnist')],
    },
    {
      name: 'cifar10',
      program: 'examples/experiments/cifar10/compare.ts',
      options: [...cifar10Files, ...json('cifar10')],
    },
    {
      name: 'lab',
      program: 'examples/experiments/lab.ts',
      options: ['--full', ...(fresh ? ['--fresh'] : []), ...mnistFiles, ...json('lab')],
    },
    { name: 'documents', program: 'examples/experiments/results/quote.ts', options: [] },
  ];
}

/** Runs a program, and rejects if it fails. */
export type Run = (
  root: string,
  program: string,
  options: readonly string[],
  signal: AbortSignal,
) => Promise<void>;

interface Place {
  /** The folder of the repository. */
  readonly root: string;
  /** The file that says which steps are finished. */
  readonly state: string;
  readonly run: Run;
  readonly signal: AbortSignal;
}

/** Runs the steps that are not finished, and says how long each took. */
export async function makeResults(folders: Folders, { root, state, run, signal }: Place): Promise<void> {
  const steps = stepsOf(folders);
  const finished = new Map(folders.fresh ? [] : await readState(state));
  for (const [k, { name, program, options }] of steps.entries()) {
    const label = `step ${k + 1} of ${steps.length}, ${name}`;
    const before = finished.get(name);
    if (before !== undefined) {
      console.log(`${label}: finished before, in ${shownTime(before)}. Hint: --fresh repeats it`);
      continue;
    }
    console.log(`${label}: npx tsx ${program} ${options.join(' ')}`.trimEnd());
    const begin = performance.now();
    await run(root, program, options, signal);
    const seconds = (performance.now() - begin) / 1000;
    finished.set(name, seconds);
    await mkdir(dirname(state), { recursive: true });
    await writeJson(state, Object.fromEntries(finished));
    console.log(`${label}: finished in ${shownTime(seconds)}`);
  }
  const all = [...finished.values()].reduce((sum, seconds) => sum + seconds, 0);
  console.log(`all results are made, in ${shownTime(all)}`);
  await rm(state); // the next command begins again
}

/** The seconds that each finished step took. */
async function readState(file: string): Promise<[name: string, seconds: number][]> {
  try {
    return Object.entries(JSON.parse(await readFile(file, 'utf8')) as Record<string, number>);
  } catch {
    return []; // without a readable file, all steps run
  }
}

const shownTime = (seconds: number): string =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** Runs a program in a process of its own, which gets Ctrl-C itself. */
export const runProgram: Run = async (root, program, options, signal) => {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, program), ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  signal.throwIfAborted();
  if (status === 0) return;
  throw new GammaBetaError(
    'results',
    `${program} failed`,
    'see its message above; the same command continues here',
  );
};
