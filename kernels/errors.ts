/**
 * The base class of all errors of this library. Messages have the form
 * `op: what is wrong: the values. Hint: what to do`.
 *
 * Catch this class to catch every one of them; the subclasses distinguish kinds of errors. Each class states its name as
 * a literal, because minifiers rename classes.
 */
export class GammaBetaError extends Error {
  override name = 'GammaBetaError';
  /** The operation that threw, e.g. `matmul`. */
  readonly op: string;
  /** What is wrong, with the values. */
  readonly problem: string;
  /** What to do. */
  readonly hint: string;

  constructor(op: string, problem: string, hint: string, options?: ErrorOptions) {
    super(`${op}: ${problem}. Hint: ${hint}`, options);
    this.op = op;
    this.problem = problem;
    this.hint = hint;
  }
}

/** Shapes that do not fit each other or the operation. */
export class ShapeError extends GammaBetaError {
  override name = 'ShapeError';
}
