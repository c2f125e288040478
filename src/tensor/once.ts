/** A function that calls `compute` the first time and returns the same result from then on: work that thunks share. */
export function once<T>(compute: () => T): () => T {
  let value: { readonly of: T } | null = null;
  return () => (value ??= { of: compute() }).of;
}
