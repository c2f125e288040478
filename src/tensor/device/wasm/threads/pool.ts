/**
 * The threads of the wasm device. Each runs an instance of the kernels of its own, on the memory that all share. The
 * main thread gives each worker a share of a kernel, and computes a share itself. Then it goes on with JavaScript, and
 * joins the workers before it next uses the memory: it waits for them, and takes back every share that no worker has begun
 * by then. So a worker that sleeps, is late or has ended costs time, and nothing else.
 */
import { DeviceError } from '../../../errors.ts';
import { type StartWorker, warnOfLoss, type Worker } from './start-worker.ts';
import { ARGS, DOUBLES, ENDING, INTS, STARTING } from './worker.ts';

export type SimdForm = (...args: readonly number[]) => number | undefined;
export type Forms = Readonly<Record<string, SimdForm>>;

/** An export, with its index among all of them. */
export interface Form {
  readonly run: SimdForm;
  readonly index: number;
  /** Whether it reads what it writes, whatever its arguments. */
  readonly updates: boolean;
  /** The least time of a share, divided by its estimate; it grows slowly, to follow the machine. */
  pace: number;
  /**
   * How fast each worker computes its units, compared with the main thread. Forms whose units all take the same time share
   * one list: `uneven` makes a form with a list of its own.
   */
  readonly speeds: number[];
  /** Whether its units stay with their threads: see `staying`. */
  readonly stays?: boolean;
}

/** A form whose units differ in work, such as rows of a matrix with many zeros. */
export const uneven = (form: Form): Form => ({ ...form, speeds: [] });

/** The main thread looks this often whether a worker has finished before it sleeps: 0.1 ms. A page never sleeps. */
const LOOKS = 5000;
/** The longest sleep, in milliseconds; a worker that finishes ends it. */
const NAP = 20;

/**
 * The main thread waits this long for a share after its own, in milliseconds. Then the worker has ended in the middle:
 * some browsers end workers when memory is short. The main thread computes the share again, unless the kernel works in
 * place: then nobody knows which of the values are new.
 */
const LONGEST = 60_000;

/**
 * The least work of a share, in picoseconds: ten times what it takes to give it to a worker and to hear back, which is
 * 0.4 µs (the best of many times, Node 24 on an AMD EPYC; `npm run bench -- threads` measures it).
 */
export const LEAST_SHARE = 4e6;

/**
 * On a machine that other programs keep busy, a worker may have to wait for a core, and the main thread for the worker.
 * So the pool adds up the milliseconds that workers save, up to `CREDIT`. When they have cost more than that, it pauses
 * `PAUSE` times as long as it has lost. No pause is longer than `LONGEST_PAUSE`, in milliseconds. The time to
 * fetch values from the cache of another core is not counted.
 */
const CREDIT = 4;
const PAUSE = 20;
const LONGEST_PAUSE = 2000;
/** A share that takes this many times as long as the shortest was interrupted: by a worker, perhaps. */
const INTERRUPTED = 3;
/** By what a share multiplies the pace. */
const DRIFT = 1.01;

/**
 * Cores differ in speed: some processors have two kinds, and other programs slow down one core more than another. So each
 * share is measured, and a worker gets as much as it can compute in the time of the others. A measurement changes the
 * speed of a worker by `LEARNING` of the difference, or by `STAYING` for units that stay with their threads, and by less
 * if it took less than `CERTAIN` milliseconds. Speeds are relative to the main thread, and stay within limits: a share that
 * seems slower or faster was interrupted.
 */
const LEARNING = 0.25;
const STAYING = 0.03;
const CERTAIN = 0.1;
const SLOWEST = 0.25;
const FASTEST = 4;

/** What the workers of a pool share. */
export interface Shared {
  readonly module: object;
  readonly memory: object;
  /** The scratch memory of an instance, in bytes. */
  readonly scratch: number;
  /** How long a worker looks for a job before it sleeps, in milliseconds. */
  readonly patience: number;
}

export class Pool {
  /** The most threads that work together, the main thread included. Tests change it. */
  count: number;
  /** Tests set it to 0: then the smallest kernels are shared, too. */
  leastShare: number = LEAST_SHARE;
  /** Tests set it, to wait less. */
  longest: number = LONGEST;
  /** Whether it pauses when workers are late. Benchmarks set it to false, to see what the kernels would gain. */
  pauses = true;
  /** The number of calls that were divided. */
  divided = 0;
  /** The number of shares that workers have computed. */
  shared = 0;

  /** The number of workers that have ended or could not start, and why. */
  lost = 0;
  lossReason = '';

  /** The exports, by name. */
  readonly forms: Map<string, Form>;
  private readonly capacity: number;
  private readonly resources: Shared;
  private readonly startWorker: StartWorker;
  private readonly control: Int32Array;
  private readonly jobs: Float64Array;
  /** The workers that have been started; null for one that has ended. */
  private readonly workers: (Worker | null)[] = [];
  /** The states that mean that a worker has finished its share. */
  private readonly done: number[] = [];
  /** The units of each worker's share. */
  private readonly given: number[] = [];
  /** The speeds of the forms that stay. */
  private readonly stayingSpeeds: number[] = [];
  /** The error of a share. */
  private failure: unknown = null;
  /** The workers that have a share of the last call. */
  private team: readonly number[] = [];
  /** The divided call for which the main thread has not waited yet, or null. */
  private pending: Form | null = null;
  private pendingSteps: readonly number[] = [];
  /** The time for which the main thread computed its share, and how long it was expected to take. */
  private own = 0;
  private estimate = 0;
  /** The units of the pending call, and those of the main thread's share. */
  private units = 0;
  private ownUnits = 0;
  /** Whether no part of the last call has returned 0. */
  private result = true;

  /** The time that workers have saved since the last pause, at most `CREDIT`. */
  private saved = 0;
  /** The time, by `performance.now()`, until which the pool pauses; 0 if it does not. */
  private pauseEnd = 0;

  constructor(exports: Forms, resources: Shared, count: number, startWorker: StartWorker) {
    const speeds: number[] = [];
    this.forms = new Map(
      Object.entries(exports).map(([name, run], index) => {
        const updates = /(?:Update|Training|Statistics)$/.test(name);
        return [name, { run, index, updates, pace: Infinity, speeds }];
      }),
    );
    this.count = count;
    this.capacity = count - 1;
    this.resources = resources;
    this.startWorker = startWorker;
    this.control = new Int32Array(new SharedArrayBuffer(4 * INTS * this.capacity));
    this.jobs = new Float64Array(new SharedArrayBuffer(8 * DOUBLES * this.capacity));
  }

  /**
   * Calls a form, or several threads call it for a share each: see `join`. `args[extent]` is the number of units to be
   * divided, into multiples of `grain`. For each unit, argument k moves by `steps[k]`. A unit takes about `work`
   * picoseconds; fewer than `least` units are not divided.
   */
  run(
    form: Form,
    args: number[],
    steps: readonly number[],
    extent: number,
    grain: number,
    work: number,
    least = 0,
  ): void {
    this.join();
    const units = args[extent];
    const blocks = Math.ceil(units / grain);
    const wanted = Math.min(this.count, blocks, this.worthwhile(units, work, least, blocks));
    this.team = wanted < 2 ? [] : this.readyWorkers(wanted - 1);
    const { team } = this;
    const helpers = team.length;
    if (helpers === 0) {
      this.result = form.run(...args) !== 0;
      return;
    }
    this.divided++;
    const { speeds } = form;
    const speed = team.reduce((sum, k) => sum + (speeds[k] ??= 1), 0);
    const own = Math.min(Math.max(1, Math.round(blocks / (1 + speed))), blocks - helpers);
    let from = own;
    let before = 0; // the speed of the workers that have a share
    for (let share = 1; share <= helpers; share++) {
      const k = team[share - 1];
      before += speeds[k];
      const fair = own + Math.round(((blocks - own) * before) / speed);
      const end = share === helpers ? blocks : Math.min(Math.max(fair, from + 1), blocks - helpers + share);
      this.give(k, form, args, steps, extent, from * grain, Math.min(units, end * grain));
      from = end;
    }
    args[extent] = own * grain;
    this.failure = null;
    this.pending = form;
    this.pendingSteps = steps;
    this.units = units;
    this.ownUnits = args[extent];
    this.estimate = args[extent] * work * 1e-9;
    const begin = performance.now();
    this.result = this.computed(form, args);
    this.own = performance.now() - begin;
    args[extent] = units;
    if (this.failure !== null) this.join();
  }

  /**
   * A form whose units are the rows of W, which several kernels of a training step read and write in turn. All such forms
   * are divided at the same rows, which change slowly, so that each row stays in the cache of one core.
   */
  staying(form: Form): Form {
    return { ...form, speeds: this.stayingSpeeds, stays: true };
  }

  /** Whether work, in picoseconds, is enough for several threads. */
  divides(work: number): boolean {
    return this.count > 1 && work >= 2 * this.leastShare;
  }

  /** `run`, for a form that returns 0 or 1. Returns whether no call has returned 0. */
  all(...args: Parameters<Pool['run']>): boolean {
    this.run(...args);
    this.join();
    return this.result;
  }

  /** Calls a form on the main thread. */
  alone(form: Form, ...args: readonly number[]): number {
    this.join();
    return Number(form.run(...args));
  }

  /**
   * Waits for the shares of the last call. Call it before the memory of the kernels is read or written, except by `run`.
   *
   * @throws {DeviceError} A worker has ended while it changed a tensor in place.
   */
  join(): void {
    const form = this.pending;
    if (form === null) return;
    this.pending = null;
    const begin = performance.now();
    for (const k of this.team) this.result = this.finish(k, form, this.pendingSteps) && this.result;
    this.account(form, performance.now() - begin);
    if (this.failure !== null) throw this.failure as Error;
  }

  /** The workers that take jobs, at most `most`. */
  private readyWorkers(most: number): readonly number[] {
    if (this.workers.length < this.capacity) this.start();
    const ready: number[] = [];
    for (let k = 0; k < this.capacity && ready.length < most; k++) if (this.isReady(k)) ready.push(k);
    return ready;
  }

  /** The number of shares that are worth giving away, the main thread's included. */
  private worthwhile(units: number, work: number, least: number, blocks: number): number {
    if (this.leastShare === 0) return blocks;
    if (units < least) return 1;
    if (this.pauseEnd > 0) {
      if (this.pauses && performance.now() < this.pauseEnd) return 1;
      this.pauseEnd = 0;
    }
    return (units * work) / this.leastShare;
  }

  /**
   * Adds the time that a call has saved, after the main thread waited for it: on one thread, each unit would have taken as
   * long as one of the main thread's share, had that not been interrupted. All times are in milliseconds.
   */
  private account(form: Form, wait: number): void {
    const { own, estimate, units, ownUnits } = this;
    form.pace = Math.min(form.pace * DRIFT, own / estimate);
    const alone = (units / ownUnits) * Math.min(own, INTERRUPTED * form.pace * estimate);
    this.saved = Math.min(CREDIT, this.saved + alone - own - wait);
    if (this.saved >= 0 || !this.pauses) return;
    this.pauseEnd = performance.now() + Math.min(LONGEST_PAUSE, -PAUSE * this.saved);
    this.saved = 0;
  }

  /** Resolves when all workers have started, or could not be started. */
  async started(): Promise<void> {
    if (this.workers.length < this.capacity) this.start();
    while (this.workers.some((worker, k) => worker !== null && this.stateOf(k) === STARTING)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** The number of workers that take jobs. */
  get ready(): number {
    return this.workers.filter((_, k) => this.isReady(k)).length;
  }

  /** Ends the workers. */
  stop(): void {
    this.join();
    this.count = 1;
    this.workers.forEach((worker, k) => {
      Atomics.store(this.control, INTS * k, ENDING);
      Atomics.notify(this.control, INTS * k);
      worker?.stop();
      this.workers[k] = null;
    });
  }

  private start(): void {
    while (this.workers.length < this.capacity) {
      const place = this.workers.length;
      const { module, memory, scratch, patience } = this.resources;
      const { control, jobs } = this;
      control[INTS * place] = STARTING;
      this.done.push(0);
      this.given.push(0);
      this.workers.push(null);
      const start = { module, memory, scratch: scratch * (place + 1), place, control, jobs, patience };
      const state = { ended: false };
      const worker = this.startWorker(start, (reason) => {
        if (state.ended) return; // an error comes before the exit, and says more
        state.ended = true;
        this.lost++;
        this.lossReason = reason;
        this.workers[place] = null;
      });
      this.workers[place] = state.ended ? null : worker;
    }
  }

  private isReady(k: number): boolean {
    return k < this.workers.length && this.workers[k] !== null && this.stateOf(k) >= 0;
  }

  private stateOf(k: number): number {
    return Atomics.load(this.control, INTS * k);
  }

  /** Gives a worker the units from ≤ unit < end. */
  private give(
    k: number,
    { index }: Form,
    args: readonly number[],
    steps: readonly number[],
    extent: number,
    from: number,
    end: number,
  ): void {
    const { control, jobs } = this;
    const job = DOUBLES * k;
    jobs[job] = index;
    jobs[job + 1] = args.length;
    for (let a = 0; a < args.length; a++) {
      jobs[job + ARGS + a] = a < steps.length ? args[a] + from * steps[a] : args[a];
    }
    jobs[job + ARGS + extent] = end - from;
    this.given[k] = end - from;
    const state = INTS * k;
    const given = Atomics.load(control, state) + 1;
    this.done[k] = (given + 3) & LAST;
    Atomics.store(control, state, given);
    if (Atomics.load(control, state + 1) === 1) Atomics.notify(control, state);
  }

  /** Waits for a worker, or computes its share if it has not begun. */
  private finish(k: number, form: Form, steps: readonly number[]): boolean {
    const { control, jobs } = this;
    const state = INTS * k;
    const done = this.done[k];
    const taken = (done - 2) & LAST;
    const given = taken - 1;
    if (Atomics.compareExchange(control, state, given, done) === given) {
      return this.computed(form, this.jobOf(k));
    }
    for (let looks = 1, now = taken, until = Infinity; now !== done; looks++) {
      now = Atomics.load(control, state);
      if (now === taken + 1) {
        this.failure = new Error('a kernel failed in a worker thread');
        Atomics.store(control, state, done);
        return false;
      }
      if (looks < LOOKS || (!canSleep && looks % LOOKS !== 0)) continue;
      if (until === Infinity) until = performance.now() + this.longest;
      if (performance.now() > until) return this.replace(k, form, steps);
      if (!canSleep) continue;
      Atomics.store(control, state + 2, 1);
      Atomics.wait(control, state, taken, NAP);
      Atomics.store(control, state + 2, 0);
    }
    this.shared++;
    this.learn(k, form, jobs[DOUBLES * k + 3]);
    return jobs[DOUBLES * k + 2] !== 0;
  }

  /** Adjusts the speed of a worker to the time of its share, in milliseconds. */
  private learn(k: number, { speeds, stays }: Form, time: number): void {
    if (time === 0) return; // the clock of some pages is coarse
    const found = (this.given[k] / time / this.ownUnits) * this.own;
    const speed = Math.min(FASTEST, Math.max(SLOWEST, found));
    const weight = (stays ? STAYING : LEARNING) * Math.min(1, time / CERTAIN);
    speeds[k] += weight * (speed - speeds[k]);
  }

  /** The arguments of a worker's share. */
  private jobOf(k: number): Float64Array {
    const job = DOUBLES * k;
    return this.jobs.subarray(job + ARGS, job + ARGS + this.jobs[job + 1]);
  }

  /** Goes on without a worker that has ended in the middle of a share, which is computed again if it can be. */
  private replace(k: number, form: Form, steps: readonly number[]): boolean {
    this.lossReason = 'it did not finish a kernel';
    this.workers[k]?.stop();
    this.workers[k] = null;
    this.lost++;
    const args = this.jobOf(k);
    const arrays = [...args.subarray(0, steps.length)].filter((_, a) => steps[a] > 0);
    const isInPlace = form.updates || new Set(arrays).size < arrays.length;
    if (!isInPlace) {
      warnOfLoss(this.lossReason);
      return this.computed(form, args);
    }
    this.failure = new DeviceError(
      'wasm',
      'a worker thread ended while it changed a tensor in place, so its values are lost',
      "go on from a saved state, with the threads that are left, or useDevice('wasm', { threads: 1 })",
    );
    return false;
  }

  /** Calls a form. An error is thrown when all threads have finished: until then they use its arrays. */
  private computed(form: Form, args: Iterable<number>): boolean {
    try {
      return form.run(...args) !== 0;
    } catch (error) {
      this.failure = error;
      return false;
    }
  }
}

/** The states count to this and begin again. */
const LAST = 0x3fffffff;

/** Whether this thread may sleep: not in a page. */
const canSleep = !('document' in globalThis);
