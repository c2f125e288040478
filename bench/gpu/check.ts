/** Compares the result of a kernel on a GPU with its reference, in float64 and on the same inputs. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { inputsOf } from '../cases/benchmark-case.ts';
import type { KernelSubject } from '../cases/kernel-subject.ts';
import { comparison, DisagreesError, labelOf } from '../validate.ts';
import { isProduct } from './gpu-subjects.ts';

/**
 * |found − expected| ≤ 4e-5·(|expected| + max |expected|). This is four times the CPU's tolerance: GPUs sum in float32,
 * and the error of their exponentials and powers is about 1e-6.
 */
export const GPU_TOLERANCE = 4e-5;

/** A product of more operations is checked by some of its rows: the reference takes a second for each 10⁹. */
const WHOLE = 2 * 1024 ** 3;
const ROWS = 8;

/**
 * @param whole Of products with more operations than this, only some rows are checked.
 * @throws {DisagreesError} An element differs by more than the tolerance.
 */
export function check(subject: KernelSubject, found: FloatArray, whole: number = WHOLE): void {
  const [{ shape }] = subject.results;
  if (found.length !== sizeOf(shape)) {
    throw new DisagreesError(
      `${labelOf(subject)} has ${found.length} values and should have ${sizeOf(shape)}`,
    );
  }
  const sampled = isProduct(subject.name) && subject.cost.flops > whole;
  const { rows, expected } = sampled ? someRows(subject) : allRows(subject);
  const nearTo = comparison(labelOf(subject), shape, expected, GPU_TOLERANCE);
  const width = expected.length / rows.length;
  rows.forEach((row, k) => {
    for (let j = 0; j < width; j++) nearTo(row * width + j, found[row * width + j], expected[k * width + j]);
  });
}

interface Expected {
  /** The indices of the rows, all of equal length. */
  readonly rows: readonly number[];
  /** The values of these rows, in this order. */
  readonly expected: FloatArray;
}

function allRows(subject: KernelSubject): Expected {
  return { rows: [0], expected: subject.expected()[0] };
}

/** The reference's product of some rows of A, or of Aᵀ, with B. */
function someRows({ kernel, benchmark }: KernelSubject): Expected {
  const { shapes, params } = benchmark;
  const [[height, width], bShape] = shapes;
  const [a, b] = inputsOf(benchmark);
  const transposed = kernel.name === 'matmulTransposedA';
  const [m, k] = transposed ? [width, height] : [height, width];
  const rows = Array.from({ length: ROWS }, (_, i) => Math.floor((i * (m - 1)) / (ROWS - 1)));
  const at = (row: number, p: number) => (transposed ? a[p * m + row] : a[row * k + p]);
  const few = Float64Array.from({ length: ROWS * k }, (_, place) =>
    transposed
      ? at(rows[place % ROWS], Math.floor(place / ROWS))
      : at(rows[Math.floor(place / k)], place % k),
  );
  const fewShapes: readonly Shape[] = [transposed ? [k, ROWS] : [ROWS, k], bShape];
  const expected = new Float64Array(sizeOf(kernel.shape(fewShapes, params)));
  kernel.reference(expected, [few, b], kernel.sizes(fewShapes, params), params);
  return { rows, expected };
}
