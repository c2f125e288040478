/**
 * Times a function with Benchmark.js, which calls it in loops that are long enough for the clock, and repeats the loops
 * until the mean is precise enough or the time is up. No other file depends on Benchmark.js.
 */
import Benchmark from 'benchmark';

/** The time of one call. */
export interface Timing {
  /** The mean over the samples. */
  readonly seconds: number;
  /** The margin of error of the mean at 95 % confidence, in percent of the mean. */
  readonly rme: number;
  /** The number of loops that were timed. */
  readonly samples: number;
}

export interface TimerOptions {
  /** Fewer and shorter loops, for a rough look. Default false. */
  readonly quick?: boolean;
}

/** The least duration of the warm-up in seconds: engines optimize code that runs often. */
const WARM_UP = { quick: 0.02, careful: 0.2 };

/** A call that takes longer than this, in seconds, is timed only a few times. */
const SLOW = 0.25;

function protocolOf(quick: boolean, slow: boolean): Benchmark.Options {
  if (quick) return { minTime: 0.01, maxTime: 0.05, minSamples: slow ? 1 : 3 };
  return { maxTime: 1, minSamples: slow ? 3 : 10 };
}

/**
 * Times a function by calling it many times. If it returns a promise, each call is awaited before the next.
 *
 * @throws The error that the function throws.
 */
export async function time(work: () => unknown, { quick = false }: TimerOptions = {}): Promise<Timing> {
  const { awaits, seconds } = await warmUp(work, quick ? WARM_UP.quick : WARM_UP.careful);
  return new Promise((resolve, reject) => {
    let failed = false;
    const fail = (error: unknown) => {
      failed = true; // Benchmark.js may be in a loop; its remaining calls do nothing
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const called = () => {
      try {
        if (!failed) work();
      } catch (error) {
        fail(error);
      }
    };
    const awaited = async (deferred: { readonly resolve: () => void }): Promise<void> => {
      try {
        await work();
        deferred.resolve();
      } catch (error) {
        fail(error); // the promise stays unresolved, which ends the loop
      }
    };
    const benchmark = new Benchmark({
      ...protocolOf(quick, seconds > SLOW),
      defer: awaits,
      fn: awaits ? awaited : called,
      onComplete: () => {
        const { mean, rme, sample } = benchmark.stats;
        resolve({ seconds: mean, rme, samples: sample.length });
      },
    });
    benchmark.run({ async: true });
  });
}

/** Calls the function for a while. Returns whether it has to be awaited, and the time of the last call. */
async function warmUp(work: () => unknown, least: number): Promise<{ awaits: boolean; seconds: number }> {
  const begin = performance.now();
  for (;;) {
    const before = performance.now();
    const result = work();
    const awaits = result instanceof Promise;
    if (awaits) await result;
    const now = performance.now();
    if (now - begin >= 1000 * least) return { awaits, seconds: (now - before) / 1000 };
  }
}
