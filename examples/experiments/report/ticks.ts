/** Chooses the range and the ticks of an axis. */

/** The range of an axis, and the values of its ticks. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

interface Wanted {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** The largest number of ticks. */
  readonly count: number;
  /** Whether to extend the axis to ticks at both ends, unless `min` or `max` is given. */
  readonly round: boolean;
}

/** A linear axis, with steps of 1, 2 or 5 times a power of ten. */
export function linearScale(values: readonly number[], { min, max, count, round }: Wanted): Scale {
  const finite = values.filter(Number.isFinite);
  let low = min ?? Math.min(...finite);
  let high = max ?? Math.max(...finite);
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (high <= low) {
    // A single value is placed in the middle.
    const half = finite.every(Number.isInteger) ? 1 : Math.abs(low) / 10 || 1;
    [low, high] = [min ?? low - half, max ?? low + half];
    if (high <= low) high = low + 1;
  }
  const integers = finite.every(Number.isInteger) && !round;
  const step = niceStep((high - low) / count, integers);
  if (round) {
    low = min ?? Math.floor(low / step + 1e-9) * step;
    high = max ?? Math.ceil(high / step - 1e-9) * step;
  }
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Rounded, because 3·0.1 ≠ 0.3.
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  return { min: Number(low.toPrecision(12)), max: Number(high.toPrecision(12)), ticks };
}

/** A logarithmic axis with powers of ten, and also 2 and 5 times these if the range is short. */
export function logScale(values: readonly number[], { min, max, count, round }: Wanted): Scale {
  const positive = values.filter((value) => Number.isFinite(value) && value > 0);
  let low = min ?? Math.min(...positive);
  let high = max ?? Math.max(...positive);
  if (!(low > 0 && Number.isFinite(high))) [low, high] = [0.1, 1];
  if (high <= low) [low, high] = [low / 2, high * 2];
  const of = Math.log10(high / low) < 1.5 ? [1, 2, 5] : [1];
  if (round) {
    low = min ?? marks(low / 10, low, of).at(-1) ?? low;
    high = max ?? marks(high, high * 10, of)[0];
  }
  const all = marks(low, high, of);
  const every = Math.ceil(all.length / count);
  return { min: low, max: high, ticks: all.length < 2 ? [low, high] : all.filter((_, i) => i % every === 0) };
}

/** The scale with the largest number of ticks, at most `most`, whose labels fit side by side into `room`. */
export function fitting(
  scaleOf: (count: number) => Scale,
  {
    most,
    room,
    width,
  }: { readonly most: number; readonly room: number; readonly width: (tick: number) => number },
): Scale {
  for (let count = most; count > 2; count--) {
    const scale = scaleOf(count);
    if (scale.ticks.length * (Math.max(...scale.ticks.map(width)) + 12) <= room) return scale;
  }
  return scaleOf(2);
}

function niceStep(least: number, integer: boolean): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) ?? 10;
  return integer ? Math.max(1, Math.round(step * power)) : step * power;
}

/** All m·10ᵏ between low and high, for each m in `of`. */
function marks(low: number, high: number, of: readonly number[]): number[] {
  const first = Math.floor(Math.log10(low)) - 1;
  const last = Math.ceil(Math.log10(high)) + 1;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .flatMap((k) => of.map((m) => Number(`${m}e${k}`)))
    .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}
