/**
 * Data that cannot be used: a file, a dataset or an option of a loader. The message has the one form of
 * every error of this library, `op: what is wrong: the values. Hint: what to do`.
 *
 * It is a class of its own, because nothing in this folder imports more than types from outside.
 */
export class DataError extends Error {
  override readonly name: string = 'DataError';
  /** The function or class that refused, e.g. `parseIdx`. */
  readonly op: string;
  /** What is wrong, with the values: the middle part of the message. */
  readonly problem: string;
  /** What to do about it. */
  readonly hint: string;

  constructor(op: string, problem: string, hint: string, options?: ErrorOptions) {
    super(`${op}: ${problem}. Hint: ${hint}`, options);
    this.op = op;
    this.problem = problem;
    this.hint = hint;
  }
}
