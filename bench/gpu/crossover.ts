/** From which batch on a GPU is faster than the CPU. */
import type { StepTiming } from './report.ts';

/**
 * The smallest batch from which the device takes less time than `wasm`, at it and at all larger ones that were
 * measured; null if it loses at the largest.
 */
export function crossover(
  timings: readonly Pick<StepTiming, 'device' | 'batch' | 'seconds'>[],
  device: StepTiming['device'],
): number | null {
  const secondsOf = (name: string, batch: number) =>
    timings.find((timing) => timing.device === name && timing.batch === batch)?.seconds ?? NaN;
  const batches = timings.filter((timing) => timing.device === device).map(({ batch }) => batch);
  let from: number | null = null;
  for (const batch of batches.sort((a, b) => b - a)) {
    if (!(secondsOf(device, batch) < secondsOf('wasm', batch))) break;
    from = batch;
  }
  return from;
}
