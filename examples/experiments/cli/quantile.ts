import { quickselect } from 'd3-array';

/** The quantile of sorted values, with linear interpolation: the default of NumPy and R. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (place % 1) * (above - below);
}

/**
 * The quantile of values in any order, which it changes: that of the sorted values, NaN last, in linear time. It puts only
 * the values at its place where sorting would put them.
 */
export function quantileOf(values: Float32Array, share: number): number {
  const place = share * (values.length - 1);
  const below = Math.floor(place);
  quickselect(values, below);
  quickselect(values, Math.ceil(place), below); // among those that are not smaller
  return quantile(values, share);
}
