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
  /** Shorter loops and fewer of them: a look, not a measurement. Default false. */
  readonly quick?: boolean;
}

/**
 * Times a function, which is called many times. One that returns a promise is awaited each time.
 *
 * @throws What the function throws.
 */
export async function time(work: () => unknown, { quick = false }: TimerOptions = {}): Promise<Timing> {
  const first = work(); // also warms up
  const awaits = first instanceof Promise;
  if (awaits) await first;
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
      ...(quick ? { minTime: 0.01, maxTime: 0.05, minSamples: 3 } : { maxTime: 1, minSamples: 10 }),
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
