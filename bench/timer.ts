/**
 * The one place that knows the engine which takes the time: Benchmark.js, which calls a function in loops
 * long enough for the clock, and repeats those until the mean is certain or the time is up.
 */
import Benchmark from 'benchmark';

/** How long one call takes. */
export interface Timing {
  /** The mean over the samples. */
  readonly seconds: number;
  /** The margin of error of that mean, at 95 % confidence, in percent of it. */
  readonly rme: number;
  /** How many loops were timed. */
  readonly samples: number;
}

export interface TimerOptions {
  /** Shorter loops, and fewer of them: a look, not a measurement. Default false. */
  readonly quick?: boolean;
}

/** How long it runs untimed, at least: engines compile what runs often. In seconds. */
const WARM_UP = { quick: 0.02, careful: 0.2 };

/** Beyond this, in seconds, a few calls have to do. */
const SLOW = 0.25;

/** What the engine is told. */
function protocolOf(quick: boolean, slow: boolean): Benchmark.Options {
  if (quick) return { minTime: 0.01, maxTime: 0.05, minSamples: slow ? 1 : 3 };
  return { maxTime: 1, minSamples: slow ? 3 : 10 };
}

/**
 * Times a function, which is called many times. One that returns a promise is awaited each time.
 *
 * @throws What the function throws.
 */
export async function time(work: () => unknown, { quick = false }: TimerOptions = {}): Promise<Timing> {
  const { awaits, seconds } = await warmUp(work, quick ? WARM_UP.quick : WARM_UP.careful);
  return new Promise((resolve, reject) => {
    let failed = false;
    const fail = (error: unknown) => {
      failed = true; // the engine may have begun a loop, of which the rest does nothing
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
        fail(error); // unresolved, the loop ends here
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

/** Calls it for a while; says whether it has to be awaited, and how long the last call took. */
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
