/** The code that a reader has to follow to understand one step of training, and its length. */
import { linesOfCode, reachedFrom } from './source-files.ts';

/** Where the reader starts; everything that these files import by value is on the path too. */
const starts = [
  ...['tape', 'op', 'ops', 'autodiff', 'tensor'].map((name) => `src/tensor/${name}.ts`),
  ...['dense', 'batchnorm1d', 'activation', 'sequential', 'losses'].map((name) => `src/layers/${name}.ts`),
  'src/optim/sgd.ts',
  'kernels/batchnorm.ts',
];

/** The fast engine, which computes the same: a reader may leave it out. */
const leftOut =
  /^(?:src\/tensor\/device\/(?:wasm|gpu)\/|kernels\/(?:simd|gpu)\/|src\/tensor\/memory\.ts|src\/layers\/fuse\.ts)/;

/** The goal for the sum of the lines. */
export const GOAL = 3000;

/** Each file on the path, with its lines of code. */
export function readingPath(): readonly { readonly file: string; readonly lines: number }[] {
  const reached = reachedFrom(
    starts,
    ({ to, typeOnly, dynamic }) => !typeOnly && !dynamic && !leftOut.test(to),
  );
  return [...reached].sort().map((file) => ({ file, lines: linesOfCode(file) }));
}
