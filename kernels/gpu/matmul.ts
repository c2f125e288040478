/**
 * The GPU forms of `../matmul.ts`, under the names of the kernels. Thread [i, j] computes y[i,j]; its loop over the k
 * terms runs in blocks of 64, for accuracy in float32. The three forms differ only in how a and b are indexed.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** A product with output [m, n] and sums of k terms. */
const product = (thread: Thread): GpuForm => ({
  sizes: ['m', 'k', 'n'],
  threads: ([m, , n]) => [n, m],
  thread,
});

/** `matmul`, y[i,j] = Σₚ a[i,p]·b[p,j]. */
export const matmul: GpuForm = product(function (this: GpuThread, a: number[], b: number[]) {
  const { x: j, y: i } = this.thread;
  const { k, n } = this.constants;
  let sum = 0;
  for (let start = 0; start < k; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, k - start); q++) {
      const p = start + q;
      block += a[i * k + p] * b[p * n + j];
    }
    sum += block;
  }
  return sum;
});

/** `matmulTransposedB`, y[i,j] = Σₚ a[i,p]·b[j,p]. */
export const matmulTransposedB: GpuForm = product(function (this: GpuThread, a: number[], b: number[]) {
  const { x: j, y: i } = this.thread;
  const { k } = this.constants;
  let sum = 0;
  for (let start = 0; start < k; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, k - start); q++) {
      const p = start + q;
      block += a[i * k + p] * b[j * k + p];
    }
    sum += block;
  }
  return sum;
});

/** `matmulTransposedA`, y[i,j] = Σₚ a[p,i]·b[p,j]. */
export const matmulTransposedA: GpuForm = product(function (this: GpuThread, a: number[], b: number[]) {
  const { x: j, y: i } = this.thread;
  const { m, k, n } = this.constants;
  let sum = 0;
  for (let start = 0; start < k; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, k - start); q++) {
      const p = start + q;
      block += a[p * m + i] * b[p * n + j];
    }
    sum += block;
  }
  return sum;
});
