/** The quantile of sorted values, with linear interpolation: the default of NumPy and R. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (place % 1) * (above - below);
}

/**
 * The quantile of values in any order, which it changes. As {@link quantile} of the sorted values, NaN last, but in linear
 * time: quickselect puts only the values at its place where sorting would put them.
 */
export function quantileOf(values: Float32Array, share: number): number {
  const numbers = values.subarray(0, numbersFirst(values));
  const place = share * (values.length - 1);
  for (const index of [Math.floor(place), Math.ceil(place)])
    if (index < numbers.length) select(numbers, index);
  return quantile(values, share);
}

/** Moves NaN to the end, and returns the number of other values. */
function numbersFirst(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) swap(values, i, count++);
  return count;
}

/** Puts the k-th smallest value at index k, none larger before it, and none smaller after it (Hoare 1961). */
function select(values: Float32Array, k: number): void {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) swap(values, i++, j--);
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return;
  }
}

function swap(values: Float32Array, i: number, j: number): void {
  const value = values[i];
  values[i] = values[j];
  values[j] = value;
}
