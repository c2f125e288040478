/** The errors that the library throws, and checks of arguments. */
import { GammaBetaError, ShapeError } from '../../kernels/errors.ts';

export { GammaBetaError, ShapeError };

/**
 * An argument has a value that the function does not accept: a hyper-parameter, a label, an index, an unknown option.
 */
export class ValueError extends GammaBetaError {}

/** Tensors have different element types, or the device does not support an element type. */
export class DTypeError extends GammaBetaError {}

/** A device is not available, tensors are on different devices, or a device cannot do a read. */
export class DeviceError extends GammaBetaError {}

/** The GPU was lost with all its tensors: the driver was reset, or the browser took the context or the device away. */
export class DeviceLostError extends DeviceError {}

/** A call would change what another asynchronous call, such as `fit`, is using. */
export class BusyError extends GammaBetaError {}

/** A backward pass is impossible: no tensor requires a gradient, or the graph was freed or changed. */
export class GraphError extends GammaBetaError {}

/** `gradcheck` found a gradient that differs from the numeric derivative. */
export class GradientError extends GammaBetaError {}

/** Bounds of a number: value > above, value ≥ from, value < below, value ≤ to. */
export interface Range {
  readonly above?: number;
  readonly from?: number;
  readonly below?: number;
  readonly to?: number;
}

/**
 * Returns the value if it is a finite number in the range. `op` and `name` are for the error message.
 * @throws {ValueError} It is not.
 */
export function expectNumber(op: string, name: string, value: number, range: Range = {}): number {
  const { above = -Infinity, from = -Infinity, below = Infinity, to = Infinity } = range;
  const isInRange = value > above && value >= from && value < below && value <= to;
  if (typeof value === 'number' && Number.isFinite(value) && isInRange) return value;
  const signs = { above: '>', from: '≥', below: '<', to: '≤' };
  const bounds = Object.entries(range).map(([bound, limit]) => ` ${signs[bound as keyof Range]} ${limit}`);
  throw new ValueError(
    op,
    `${name} is ${String(value)}`,
    `a finite number${bounds.join(' and')} is expected`,
  );
}

/**
 * Returns the value if it is an integer ≥ min.
 * @throws {ValueError} It is not.
 */
export function expectInteger(op: string, name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new ValueError(op, `${name} is ${String(value)}`, `an integer ≥ ${min} is expected`);
}

/**
 * Checks the names of options. Otherwise a misspelt option would be ignored silently.
 * @throws {ValueError} An option is unknown.
 */
export function expectOptions(op: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  throw new ValueError(op, `unknown option: ${unknown.join(', ')}`, `known options: ${known.join(', ')}`);
}

/**
 * Returns the value if it is one of the choices.
 * @throws {ValueError} It is not.
 */
export function expectOneOf<T extends string>(op: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const words = choices.map((choice) => `'${choice}'`);
  throw new ValueError(
    op,
    `${name} is '${value}'`,
    `use ${words.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`,
  );
}
