/** Times work on the wasm device with one thread and with several, in turns, on the same memory. */
import { useDevice } from '../src/index.ts';
import { currentDevice } from '../src/tensor/device/current.ts';
import type { WasmDevice } from '../src/tensor/device/wasm/open-wasm.ts';
import type { Form, Pool } from '../src/tensor/device/wasm/threads/pool.ts';
import { median, pairedRatios, summarize, type Summary } from './statistics.ts';

export interface Turns {
  readonly rounds: number;
  /** The least time of a turn, in milliseconds. */
  readonly turn: number;
}

export const CAREFUL: Turns = { rounds: 41, turn: 15 };
export const QUICK: Turns = { rounds: 5, turn: 3 };

/** Calls of a turn that are not timed: the first one wakes the workers. */
const WARM_UP = 3;

/** Times in milliseconds: the medians of the turns. */
export interface ThreadTiming {
  readonly threads: number;
  readonly milliseconds: number;
  /** The time of one thread divided by that of several, within a round. */
  readonly speedup: Summary;
}

/** Makes `wasm` the device, with this many threads, and waits until all have started. */
export async function openThreads(count: number): Promise<Pool> {
  await useDevice('wasm', { threads: count });
  const { pool } = currentDevice() as WasmDevice;
  if (pool === null) throw new Error('shared memory is refused');
  await pool.started();
  return pool;
}

/** Work on a pool, and the numbers of threads that are compared with one. */
export interface Subject {
  readonly pool: Pool;
  readonly counts: readonly number[];
  readonly work: () => unknown;
}

/** Times work with one thread and with each number of threads, in turns. Changes `pool.count`. */
export function timeInTurns(subject: Subject, { rounds, turn }: Turns): readonly ThreadTiming[] {
  const timer = new TurnTimer(subject, turn);
  for (let round = 0; round < rounds; round++) timer.time(round);
  return timer.timings;
}

/** After this time without work, in milliseconds, the workers of a pool sleep. */
const ASLEEP = 3;

/** `timeInTurns` for work on several pools, all in each round, so that they meet the same state of the machine. */
export async function timeTogether(
  subjects: readonly Subject[],
  { rounds, turn }: Turns,
): Promise<(readonly ThreadTiming[])[]> {
  const timers = subjects.map((subject) => new TurnTimer(subject, turn));
  for (let round = 0; round < rounds; round++) {
    for (const timer of timers) {
      await new Promise((resolve) => setTimeout(resolve, ASLEEP));
      timer.time(round);
    }
  }
  return timers.map(({ timings }) => timings);
}

/** The times of a subject, in milliseconds. */
class TurnTimer {
  private readonly times: ReadonlyMap<number, number[]>;
  private readonly subject: Subject;
  private readonly turn: number;

  constructor(subject: Subject, turn: number) {
    this.subject = subject;
    this.turn = turn;
    this.times = new Map([1, ...subject.counts].map((count): [number, number[]] => [count, []]));
    for (let k = 0; k < 20; k++) subject.work(); // engines optimize code that runs often
  }

  /** Takes a turn with each number of threads. */
  time(round: number): void {
    const { pool, work } = this.subject;
    const all = [...this.times];
    for (const [count, times] of round % 2 === 0 ? all : all.reverse()) {
      pool.count = count;
      for (let k = 0; k < WARM_UP; k++) work();
      times.push(timeOf(work, this.turn));
    }
  }

  get timings(): readonly ThreadTiming[] {
    const [[, one]] = this.times;
    return [...this.times].map(([threads, times]) => ({
      threads,
      milliseconds: median(times),
      speedup: summarize(pairedRatios(one, times)),
    }));
  }
}

/** The mean time of a call, in milliseconds, over calls that take at least `turn` milliseconds together. */
function timeOf(work: () => unknown, turn: number): number {
  const begin = performance.now();
  let calls = 0;
  let passed = 0;
  do {
    work();
    calls++;
    passed = performance.now() - begin;
  } while (passed < turn);
  return passed / calls;
}

/**
 * The share of the time of one thread that is spent in kernels that several threads compute together. The rest bounds the
 * speed-up (Amdahl's law): with a share s, n threads are at most 1/(1 − s + s/n) times as fast.
 */
export function dividedShare(pool: Pool, count: number, work: () => unknown): number {
  const run = pool.run.bind(pool);
  const divides = pool.divides.bind(pool);
  const divided = new Set<number>();
  let call = 0;
  let inDivided = 0;
  pool.run = (...args) => {
    const before = pool.divided;
    const begin = performance.now();
    run(...args);
    if (divided.has(call)) inDivided += performance.now() - begin;
    if (pool.divided > before) divided.add(call);
    call++;
  };
  pool.divides = (work) => work >= 2 * pool.leastShare; // the same calls with one thread
  pool.pauses = false;
  try {
    pool.count = count;
    for (let k = 0; k < 20; k++) {
      call = 0;
      work();
    }
    pool.count = 1;
    const shares = Array.from({ length: 20 }, () => {
      call = inDivided = 0;
      const begin = performance.now();
      work();
      return inDivided / (performance.now() - begin);
    });
    return median(shares);
  } finally {
    pool.run = run;
    pool.divides = divides;
    pool.pauses = true;
  }
}

/** Calls that are timed together, to measure the latency: few, so that some are not interrupted. */
const BURST = 50;

/** The time to give away a kernel that does almost nothing, and to hear back, in microseconds: the best of many. */
export function latencyOf(pool: Pool, bursts: number): number {
  const form = formOf(pool, 'matmul');
  const args = [0, 0, 0, 2, 0, 0]; // two empty rows
  const call = () => {
    pool.run(form, args, [], 3, 1, 1e9);
    pool.join();
  };
  const alone = () => form.run(0, 0, 0, 2, 0, 0);
  const burst = (work: () => unknown) => {
    const begin = performance.now();
    for (let k = 0; k < BURST; k++) work();
    return (performance.now() - begin) / BURST;
  };
  pool.count = 2;
  let [both, one] = [Infinity, Infinity];
  for (let k = 0; k < bursts; k++) {
    both = Math.min(both, burst(call));
    one = Math.min(one, burst(alone));
  }
  return 1000 * (both - one);
}

export function formOf(pool: Pool, name: string): Form {
  const form = pool.forms.get(name);
  if (form === undefined) throw new Error(`no export: ${name}`);
  return form;
}
