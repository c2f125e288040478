/**
 * What a worker thread runs. It can be started from the text of `serve`, which therefore uses nothing outside itself: no
 * bundler has to find a file, and Node and pages start the same code.
 */

/** The parts of WebAssembly that are used here. */
declare const WebAssembly: {
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, (...args: readonly number[]) => number | undefined>> };
};

/** What a worker gets when it starts. */
export interface Start {
  readonly module: object;
  readonly memory: object;
  /** The distance of its scratch memory from that of the main thread, in bytes. */
  readonly scratch: number;
  /** Its place: the part of `control` that belongs to it, and of `jobs`. */
  readonly place: number;
  /** `INTS` integers per worker: its state; whether it sleeps; whether the main thread waits for it asleep. */
  readonly control: Int32Array;
  /**
   * `DOUBLES` numbers per worker: the export to call, the number of arguments, the result, the time that it took in
   * milliseconds, and from `ARGS` on the arguments.
   */
  readonly jobs: Float64Array;
  /** How long it looks for a job before it sleeps, in milliseconds. */
  readonly patience: number;
}

/** Integers per worker: a cache line, so that no two threads write to the same one. */
export const INTS = 16;
/** Numbers per worker. */
export const DOUBLES = 32;
/** The numbers of a worker before the arguments. */
export const ARGS = 4;

/** The state of a worker that has not started, and of one that is to end. */
export const STARTING = -1;
export const ENDING = -2;

/**
 * Any other state is 4·job + step, where the steps of a job are: 0, done; 1, given; 2, taken; 3, failed. A job is taken
 * by the worker, or by the main thread if that finds it first: never by both.
 */
export function serve({ module, memory, scratch, place, control, jobs, patience }: Start): void {
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory },
    softmax: { ln: Math.log },
    instance: { scratch },
  });
  const forms = Object.values(exports);
  const state = 16 * place;
  const job = 32 * place;
  const frames: number[][] = [];
  let seen = 0;
  Atomics.store(control, state, 0);
  for (;;) {
    // Looks for a job: for a while, then asleep.
    let until = performance.now() + patience;
    for (let looks = 1; (seen & 3) !== 1; looks++) {
      seen = Atomics.load(control, state);
      if (seen === -2) return;
      if (looks % 64 !== 0 || (seen & 3) === 1 || performance.now() < until) continue;
      Atomics.store(control, state + 1, 1);
      Atomics.wait(control, state, seen);
      Atomics.store(control, state + 1, 0);
      until = performance.now() + patience;
    }
    if (Atomics.compareExchange(control, state, seen, seen + 1) === seen) {
      const count = jobs[job + 1];
      const args = (frames[count] ??= Array<number>(count).fill(0));
      for (let k = 0; k < count; k++) args[k] = jobs[job + 4 + k];
      let next = (seen + 3) & 0x3fffffff; // the next job, step 0
      const begin = performance.now();
      try {
        jobs[job + 2] = Number(forms[jobs[job]](...args));
        jobs[job + 3] = performance.now() - begin;
      } catch {
        next = seen + 2; // failed
      }
      Atomics.store(control, state, next);
      if (Atomics.load(control, state + 2) === 1) Atomics.notify(control, state);
    }
    seen = 0;
  }
}
