/** A bias, added to every row. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import { drawn, type KernelCases, misfits, seeds } from './case.ts';

export const biases: Pick<KernelCases, 'addBias'> = {
  addBias: {
    kernel: kernels.addBias,
    calls: (n, turn) =>
      fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 9), seeds).map(([other, seed]) => {
        const [rows, columns] = turn === 0 ? [n, other] : [other, n];
        return { inputs: [drawn([rows, columns], seed), drawn([columns], seed + 1)], params: {} };
      }),
    at: ([i, j], [x, b]) => b(j) + x(i, j),
    misfits: misfits(
      [[2, 3], [2]],
      [[3], [3]],
      [
        [2, 3],
        [1, 3],
      ],
      [[2, 3, 4], [4]],
    ),
  },
};
