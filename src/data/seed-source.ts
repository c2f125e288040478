/** Until another source is set: 0, 1, 2, …, so that a program gets the same seeds each time it runs. */
let loaders = 0;
let current: () => number = () => loaders++;

/**
 * Sets where loaders without a `seed` of their own get one. The main entry calls this once, with the
 * shuffling stream of `manualSeed`; it is a hook because this folder imports nothing of the tensor's.
 *
 * @param source gives a new seed at each call, an integer in 0 … 2⁵³ − 1
 */
export function setSeedSource(source: () => number): void {
  current = source;
}

/** The next seed of the source. */
export function nextSeed(): number {
  return current();
}
