/** Tensors as text, for `console.log` and error messages. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { DeviceError } from './errors.ts';
import type { Value } from './value.ts';

/** Tensors with more elements are summarized: of each axis, the first and the last three entries are printed. */
const MOST = 1000;
const EDGE = 3;
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

/** What is printed of an axis: numbers or entries, and '...' for those that are left out. */
type Part = number | '...' | readonly Part[];

/** The values in brackets, one line per row of the last axis. */
function layOut(values: FloatArray, shape: Shape): string {
  const isLarge = values.length > MOST;
  const corners = (offset: number, [n, ...rest]: Shape): Part => {
    const entry = (i: number) =>
      rest.length === 0 ? values[offset + i] : corners(offset + i * sizeOf(rest), rest);
    const entries = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => entry(from + i));
    if (n <= 2 * EDGE || !(isLarge || n > MOST)) return entries(0, n);
    return [...entries(0, EDGE), '...', ...entries(n - EDGE, n)];
  };
  const parts = shape.length === 0 ? values[0] : corners(0, shape);
  const write = numberFormat(numbersIn(parts));
  const lines = (part: Part, depth: number): string => {
    if (part === '...') return part;
    if (typeof part === 'number') return write(part);
    const indent = `\n${' '.repeat(START.length + depth + 1)}`;
    const texts = part.map((each) => lines(each, depth + 1));
    const rank = shape.length - depth;
    if (rank > 1) return `[${texts.join(`,${'\n'.repeat(rank - 2)}${indent}`)}]`;
    let [line, column] = ['', indent.length];
    for (const text of texts) {
      const isFull = column + text.length > WIDTH;
      if (line !== '') line += isFull ? `,${indent}` : ', ';
      line += text;
      column = (isFull ? indent.length : column) + text.length + 2;
    }
    return `[${line}]`;
  };
  return lines(parts, 0);
}

function numbersIn(part: Part): readonly number[] {
  if (typeof part === 'number') return [part];
  return part === '...' ? [] : part.flatMap(numbersIn);
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
