/** The reading path: the code that a reader follows to understand one training step, and its length. */
import { linesOfCode, reachedFrom } from './source-files.ts';

/** The files that a reader starts from. Everything that they import by value is on the path, too. */
const starts = [
  ...['tape', 'op', 'ops', 'autodiff', 'tensor'].map((name) => `src/tensor/${name}.ts`),
  ...['dense', 'batchnorm1d', 'activation', 'sequential', 'losses'].map((name) => `src/layers/${name}.ts`),
  'src/optim/sgd.ts',
  'kernels/batchnorm.ts',
];

/** The fast forms of the same computations, which a reader may skip. */
const leftOut =
  /^(?:src\/tensor\/device\/(?:wasm|gpu)\/|kernels\/(?:simd|gpu)\/|src\/tensor\/memory\.ts|src\/layers\/fuse\.ts)/;

/** The largest number of lines of code on the path. */
export const GOAL = 3000;

/** Each file on the path, with its lines of code. */
export function readingPath(): readonly { readonly file: string; readonly lines: number }[] {
  const reached = reachedFrom(
    starts,
    ({ to, typeOnly, dynamic }) => !typeOnly && !dynamic && !leftOut.test(to),
  );
  return [...reached].sort().map((file) => ({ file, lines: linesOfCode(file) }));
}
