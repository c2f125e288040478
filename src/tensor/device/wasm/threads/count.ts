/** How many threads the wasm device uses. */
import { refused } from '../../../errors.ts';

/** The number of threads, and why there are no more. */
export interface Threads {
  readonly count: number;
  readonly reason: string;
}

/** `'auto'` is the number of processor cores, at most 8. */
export type ThreadsOption = number | 'auto';

const MOST = 64;
const MOST_BY_ITSELF = 8;

interface Platform {
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly arch?: string;
    readonly platform?: string;
    readonly getBuiltinModule?: (name: 'os' | 'fs' | 'worker_threads') => {
      readonly isMainThread?: boolean;
      readonly availableParallelism?: () => number;
      readonly readFileSync?: (path: string, encoding: 'utf8') => string;
    };
  };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
  readonly document?: object;
}

const platform = globalThis as Platform;

/**
 * Checks the option `threads`; undefined stands for the environment variable GAMMABETA_THREADS, and without that for
 * `'auto'`.
 *
 * @throws {ValueError} It is neither `'auto'` nor an integer from 1 to 64.
 */
export function threadsOf(op: string, option: ThreadsOption | undefined): Threads {
  if (option !== undefined) return limited(checked(op, 'threads', option), 'threads');
  const variable = environment();
  if (variable === undefined || variable === '') return limited('auto', 'the default');
  const name = 'GAMMABETA_THREADS';
  return limited(checked(op, name, variable === 'auto' ? variable : Number(variable), variable), name);
}

function checked(op: string, name: string, value: ThreadsOption, given: unknown = value): ThreadsOption {
  if (value === 'auto' || (Number.isInteger(value) && value >= 1 && value <= MOST)) return value;
  throw refused(op, name, given, `use an integer from 1 to ${MOST}, or 'auto'`);
}

/** What is asked for, as far as it is possible. `by` names what asked. */
function limited(wanted: ThreadsOption, by: string): Threads {
  if (wanted === 1) return { count: 1, reason: `${by} is 1` };
  if (typeof SharedArrayBuffer === 'undefined') {
    const isolated = platform.crossOriginIsolated === false;
    return {
      count: 1,
      reason: isolated ? 'the page is not cross-origin isolated' : 'this engine has no SharedArrayBuffer',
    };
  }
  if (wanted !== 'auto') return { count: wanted, reason: `${by} is ${wanted}` };
  if (isWorker()) return { count: 1, reason: 'this is a worker thread: { threads } asks for more' };
  const count = cores();
  const most = Math.min(count, MOST_BY_ITSELF);
  const reason =
    count > most
      ? `'auto' uses at most ${MOST_BY_ITSELF}`
      : `the processor has ${count} core${count > 1 ? 's' : ''}`;
  return { count: most, reason };
}

function isWorker(): boolean {
  const main = platform.process?.getBuiltinModule?.('worker_threads').isMainThread;
  return main === undefined ? platform.document === undefined : !main;
}

/** The value of GAMMABETA_THREADS. Deno throws if the program may not read it. */
function environment(): string | undefined {
  try {
    return platform.process?.env?.GAMMABETA_THREADS;
  } catch {
    return undefined;
  }
}

/**
 * The cores of the processor. With two threads per core, half of what the system reports: the second thread of a core
 * adds little to a product. Only Linux says so; elsewhere x64 processors are taken to have two.
 */
function cores(): number {
  return hasTwoPerCore() ? Math.max(1, Math.floor(reported() / 2)) : reported();
}

/** The number of threads that the system runs at a time. */
function reported(): number {
  const { process, navigator } = platform;
  return process?.getBuiltinModule?.('os').availableParallelism?.() ?? navigator?.hardwareConcurrency ?? 1;
}

/**
 * How long a thread without work looks for more before it sleeps, in milliseconds: longer than the time between two
 * kernels, and than most pauses between two steps. With more threads than can run at a time it sleeps at once.
 */
export const patience = (count: number): number => (count > reported() ? 0 : 1);

function hasTwoPerCore(): boolean {
  const { process } = platform;
  if (process?.platform !== 'linux') return process?.arch === 'x64';
  try {
    const read = process.getBuiltinModule?.('fs').readFileSync;
    return read?.('/sys/devices/system/cpu/smt/active', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
