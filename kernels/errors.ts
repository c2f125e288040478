/**
 * The one form of every error of this library: `op: what is wrong: the values. Hint: what to do`.
 *
 * Catch this class to catch them all; its subclasses say which kind of thing was wrong.
 */
export class GammaBetaError extends Error {
  /** The operation that refused, e.g. `matmul`. */
  readonly op: string;
  /** What is wrong: the values. */
  readonly problem: string;
  /** What to do about it. */
  readonly hint: string;

  constructor(op: string, problem: string, hint: string, options?: ErrorOptions) {
    super(`${op}: ${problem}. Hint: ${hint}`, options);
    this.name = new.target.name;
    this.op = op;
    this.problem = problem;
    this.hint = hint;
  }
}

/** Shapes that do not fit each other, or do not fit the operation. */
export class ShapeError extends GammaBetaError {}
