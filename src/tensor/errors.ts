import { GammaBetaError, ShapeError } from '../../kernels/errors.ts';

export { GammaBetaError, ShapeError };

/** A value outside what the operation accepts: a hyper-parameter, a label, an index. */
export class ValueError extends GammaBetaError {}

/** Tensors of different element types, or a type that the device does not have. */
export class DTypeError extends GammaBetaError {}

/** A device that is not there, tensors of different devices, a read the device cannot do. */
export class DeviceError extends GammaBetaError {}

/** The GPU went away, and with it all that was on it: a driver was reset, a context taken, a device destroyed. */
export class DeviceLostError extends DeviceError {}

/** A backward pass that cannot be: no gradient is needed, or the graph is gone. */
export class GraphError extends GammaBetaError {}

/** `gradcheck` found a gradient that does not match its function. */
export class GradientError extends GammaBetaError {}

/** Bounds of a number: > above, ≥ from, < below, ≤ to. */
export interface Range {
  readonly above?: number;
  readonly from?: number;
  readonly below?: number;
  readonly to?: number;
}

/** A finite number in a range. */
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

/** An integer from `min` up. */
export function expectInteger(op: string, name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new ValueError(op, `${name} is ${String(value)}`, `an integer ≥ ${min} is expected`);
}

/** Only these option names; a misspelt one would otherwise be ignored in silence. */
export function expectOptions(op: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  throw new ValueError(op, `unknown option: ${unknown.join(', ')}`, `known options: ${known.join(', ')}`);
}

/** One of a few words. */
export function expectOneOf<T extends string>(op: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const words = choices.map((choice) => `'${choice}'`);
  throw new ValueError(
    op,
    `${name} is '${value}'`,
    `use ${words.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`,
  );
}
