/** Tensors as text, for `console.log`, error messages and test runners. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { DeviceError } from './errors.ts';
import type { Value } from './value.ts';

/** Tensors with more elements are summarized: of each axis, the first and the last three entries are printed. */
const MOST = 1000;
/** The largest number of characters in a line. */
const WIDTH = 90;
const START = 'Tensor(';

/** The shape, the element type and the device: `Tensor([2, 3], float32, wasm)`. */
export function describe(x: Value): string {
  return `${START}${formatShape(x.shape)}, ${kindOf(x)})`;
}

/**
 * The values as NumPy prints them, the shape, the element type and the device. On a GPU, where reading takes time, a hint
 * instead of the values.
 */
export function print(x: Value): string {
  const rest = `shape ${formatShape(x.shape)}, ${kindOf(x)}`;
  const values = readable(x);
  if (typeof values === 'string') return `${START}${rest}; ${values})`;
  return `${START}${layOut(values, x.shape)}, ${rest})`;
}

/** The values of a tensor on `cpu` or `wasm`. Otherwise, and if it was freed, the reason why they are not read. */
export function readable({ home, device, storage }: Value): FloatArray | string {
  if (device !== 'cpu' && device !== 'wasm') return 'await t.data() reads the values';
  try {
    return home.readSync(storage);
  } catch (error) {
    if (error instanceof DeviceError) return error.problem;
    throw error;
  }
}

function kindOf({ dtype, device, requiresGrad }: Value): string {
  return [dtype, device, ...(requiresGrad ? ['requiresGrad'] : [])].join(', ');
}

/** The values in brackets, one line per row of the last axis. */
function layOut(values: FloatArray, shape: Shape): string {
  const layOutFrom = (offset: number, axis: number, write: (x: number) => string): string => {
    if (axis === shape.length) return write(values[offset]);
    const [n, ...rest] = shape.slice(axis);
    const isSummarized = n > 6 && Math.max(values.length, n) > MOST;
    const entries = isSummarized ? [0, 1, 2, null, n - 3, n - 2, n - 1] : [...Array(n).keys()];
    const texts = entries.map((i) =>
      i === null ? '...' : layOutFrom(offset + i * sizeOf(rest), axis + 1, write),
    );
    const newLine = `\n${' '.repeat(START.length + axis + 1)}`;
    if (rest.length > 0) return `[${texts.join(`,${'\n'.repeat(rest.length - 1)}${newLine}`)}]`;
    const perLine = Math.floor((WIDTH - newLine.length) / ((texts.at(0)?.length ?? 0) + 2));
    const lines = texts.map((text, i) => (i > 0 && i % perLine === 0 ? newLine : ' ') + text);
    return `[${lines.join(',').slice(1)}]`;
  };
  const printed: number[] = []; // all have the same width, so a first pass finds them
  layOutFrom(0, 0, (x) => {
    printed.push(x);
    return '';
  });
  return layOutFrom(0, 0, numberFormat(printed));
}

/**
 * Integers as they are; other numbers with four digits after the point, in exponential form if one of them would have
 * too many digits or none. All have the same width.
 */
function numberFormat(numbers: readonly number[]): (x: number) => string {
  const sizes = numbers.filter((x) => Number.isFinite(x) && x !== 0).map(Math.abs);
  const areIntegers = sizes.every(Number.isInteger);
  const isExponential = Math.max(...sizes) >= 1e6 || Math.min(...sizes) < 1e-4;
  const text = (x: number): string => {
    if (areIntegers || !Number.isFinite(x)) return Object.is(x, -0) ? '-0' : String(x);
    return isExponential ? x.toExponential(4) : x.toFixed(4);
  };
  const width = Math.max(...numbers.map((x) => text(x).length));
  return (x) => text(x).padStart(width);
}

/**
 * A number that is equal for equal values and, for practical purposes, different for different values: a hash of their
 * bits. It is different at each call for a tensor on a GPU, where reading takes time, and for one that was freed: these
 * are equal to no other tensor.
 */
export function fingerprint(x: Value): number {
  const values = readable(x);
  if (typeof values === 'string') return ++unread;
  return new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4).reduce((before, bits) => {
    const product = Math.imul(before ^ bits, 0x9e3779b1);
    return product ^ (product >>> 15);
  }, 1);
}

let unread = 0;
