import { DataError } from './errors.ts';

/** Throws {@link DataError} for keys that are not known: a misspelt option must not be ignored. */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  throw new DataError(
    op,
    `unknown option${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`,
    `the options are ${known.join(', ')}`,
  );
}
