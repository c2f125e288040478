/** The errors that the library throws, and checks of arguments. */
import { GammaBetaError, ShapeError } from '../../kernels/errors.ts';
import { formatShape } from '../../kernels/shape.ts';
import { Value } from './value.ts';

export { GammaBetaError, ShapeError };

/**
 * An argument has a value that the function does not accept: a hyper-parameter, a label, an index, an unknown option.
 */
export class ValueError extends GammaBetaError {
  override name = 'ValueError';
}

/** Tensors have different element types, or the device does not support an element type. */
export class DTypeError extends GammaBetaError {
  override name = 'DTypeError';
}

/** A device is not available, tensors are on different devices, or a device cannot do a read. */
export class DeviceError extends GammaBetaError {
  override name = 'DeviceError';
}

/** The GPU was lost with all its tensors: the driver was reset, or the browser took the context or the device away. */
export class DeviceLostError extends DeviceError {
  override name = 'DeviceLostError';
}

/** A backward pass is impossible: no tensor requires a gradient, or the graph was freed or changed. */
export class GraphError extends GammaBetaError {
  override name = 'GraphError';
}

/** A value as error messages show it: `0.1`, `'0.1' (a string)`, `null`, `an Array of 2`, `a tensor of shape [2, 3]`. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}' (a string)`;
  if (typeof value === 'function')
    return `the ${isClass(value) ? 'class' : 'function'} ${value.name || 'without a name'}`;
  if (typeof value !== 'object' || value === null)
    return `${String(value)}${typeof value === 'bigint' ? 'n' : ''}`;
  if (value instanceof Value) return `a tensor of shape ${formatShape(value.shape)}`;
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  const name = `${/^[aeio]/i.test(kind) ? 'an' : 'a'} ${kind}`;
  return 'length' in value ? `${name} of ${String(value.length)}` : name;
}

/**
 * Whether the memory of an array was transferred, for example to a worker. Such an array has no values left, and most of
 * its methods throw a TypeError. (`buffer.detached` is not in Node 20.)
 */
export function isDetached(array: unknown): boolean {
  const buffer = ArrayBuffer.isView(array) ? array.buffer : array;
  try {
    return buffer instanceof ArrayBuffer && buffer.byteLength === 0 && new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}

/** The hint for a detached array. */
export const TRANSFERRED = 'its memory was transferred to another thread: send a copy of it instead';

/** Bounds of a number: value > above, value ≥ from, value < below, value ≤ to. */
export type Range = Readonly<Partial<Record<'above' | 'from' | 'below' | 'to', number>>>;

/**
 * Returns the value if it is a finite number in the range. `op` and `name` are for the error message.
 * @throws {ValueError} It is not.
 */
export function expectNumber(op: string, name: string, value: number, range: Range = {}): number {
  const { above = -Infinity, from = -Infinity, below = Infinity, to = Infinity } = range;
  if (Number.isFinite(value) && value > above && value >= from && value < below && value <= to) return value;
  const signs = { above: '>', from: '≥', below: '<', to: '≤' };
  const bounds = Object.entries(range).map(([bound, limit]) => ` ${signs[bound as keyof Range]} ${limit}`);
  throw refused(op, name, value, `a finite number${bounds.join(' and')} is expected`);
}

/**
 * Returns the value if it is an integer ≥ min.
 * @throws {ValueError} It is not.
 */
export function expectInteger(op: string, name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  const limit = Number.isInteger(value) && value > min ? ' and < 2⁵³' : '';
  throw refused(op, name, value, `an integer ≥ ${min}${limit} is expected`);
}

/**
 * Returns the value if it is `true` or `false`.
 * @throws {ValueError} It is not.
 */
export function expectBoolean(op: string, name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw refused(op, name, value, 'use true or false');
}

/**
 * Returns the value if it is a function, and no class.
 * @throws {ValueError} It is not.
 */
export function expectFunction<F extends AnyFunction>(op: string, name: string, value: F): F {
  if (typeof value === 'function' && !isClass(value)) return value;
  throw refused(op, name, value, 'a function is expected');
}

type AnyFunction = (...args: never[]) => unknown;

const isClass = (fn: object): boolean => /^class\b/.test(Function.prototype.toString.call(fn));

/**
 * Returns the value if it is a tensor.
 * @throws {ValueError} It is not.
 */
export function expectTensor<T extends Value>(op: string, name: string, value: T, hint: string = TENSOR): T {
  if (value instanceof Value) return value;
  throw refused(op, name, value, hint);
}

const TENSOR = 'a tensor is expected: tensor(values) makes one';

/**
 * Checks that the value is an array of tensors.
 * @throws {ValueError} It is not.
 */
export function expectTensors(op: string, name: string, value: readonly Value[], hint?: string): void {
  const isArray: boolean = Array.isArray(value);
  if (!isArray) throw refused(op, name, value, hint ?? 'an array of tensors is expected');
  for (const [i, x] of value.entries()) expectTensor(op, `${name}[${i}]`, x, hint);
}

/**
 * Checks that options are an object of known names. Otherwise misspelt and positional options would be ignored silently.
 * @throws {ValueError} They are not an object, or an option is unknown.
 */
export function expectOptions(op: string, options: object, known: readonly string[]): void {
  const hint = `known options: ${known.join(', ')}`;
  if (Object.prototype.toString.call(options) !== '[object Object]') {
    throw refused(op, 'options', options, `pass options by name, as in { ${known[0]}: value }; ${hint}`);
  }
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new ValueError(op, `unknown option: ${unknown.join(', ')}`, hint);
}

/**
 * Returns the value if it is one of the choices.
 * @throws {ValueError} It is not.
 */
export function expectOneOf<T extends string>(op: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const words = choices.map((choice) => `'${choice}'`).join(', ');
  const problem = `${name} is ${typeof value === 'string' ? `'${value}'` : shown(value)}`;
  throw new ValueError(op, problem, `use ${words.replace(/, (?=[^,]*$)/, ' or ')}`);
}

/**
 * Checks the number of arguments of a method that other libraries give more of, which would be ignored silently.
 * @throws {ValueError} There are more than `most`.
 */
export function expectAtMost(op: string, count: number, most: number, hint: string): void {
  if (count > most) throw new ValueError(op, `too many arguments: ${count}, at most ${most}`, hint);
}

/** The error of a value that a check refuses. */
export function refused(op: string, name: string, value: unknown, hint: string): ValueError {
  return new ValueError(op, `${name} is ${shown(value)}`, hint);
}
