/** A stream of batches, and the running statistics under three conventions, computed by the library's layer. */
import { BatchNorm1d, type BatchNorm1dOptions, manualSeed, randn } from '../../../src/index.ts';
import { columnOf, numbersOf } from './column.ts';

export type Convention = 'PyTorch' | 'Keras' | 'ONNX';
export const conventions: readonly Convention[] = ['PyTorch', 'Keras', 'ONNX'];

/** The number of batches in the stream, the size of a batch, and the distribution of its values. */
export const BATCHES = 60;
export const SIZE = 8;
export const TRUE_MEAN = 3;
export const TRUE_DEVIATION = 2;
/** The value of the example that keeps its place while its neighbours change. */
export const PINNED = 5;

/** The defaults of each program, in the words of this library. */
export const optionsOf: Readonly<Record<Convention, BatchNorm1dOptions>> = {
  PyTorch: { eps: 1e-5, momentum: 0.1, runningVariance: 'unbiased', dtype: 'float64' },
  Keras: { eps: 1e-3, momentum: 0.01, runningVariance: 'biased', dtype: 'float64' },
  ONNX: { eps: 1e-5, momentum: 0.1, runningVariance: 'biased', dtype: 'float64' },
};

/** What the program calls its momentum. */
export const momentumNames: Readonly<Record<Convention, string>> = {
  PyTorch: 'momentum 0.1 weighs the new batch; the running variance is unbiased',
  Keras: 'momentum 0.99 weighs the old value; the running variance is biased; ε is 0.001',
  ONNX: 'momentum 0.9 weighs the old value; the running variance is biased',
};

export interface Running {
  readonly mean: number;
  readonly variance: number;
}

/** Batch k of the stream, or of the neighbours: values with mean 3 and deviation 2. */
function draw(count: number): number[] {
  return numbersOf(randn([count], { dtype: 'float64' }).mul(TRUE_DEVIATION).add(TRUE_MEAN));
}

/** The running statistics after 0, 1, … batches. */
export function runningStatistics(): Readonly<Record<Convention, readonly Running[]>> {
  manualSeed(7);
  const batches = Array.from({ length: BATCHES }, () => draw(SIZE));
  const follow = (convention: Convention): Running[] => {
    const layer = new BatchNorm1d(1, optionsOf[convention]);
    const now = (): Running => ({
      mean: layer.runningMean?.item() ?? 0,
      variance: layer.runningVar?.item() ?? 1,
    });
    const path = [now()];
    for (const batch of batches) {
      layer.forward(columnOf(batch));
      path.push(now());
    }
    return path;
  };
  return { PyTorch: follow('PyTorch'), Keras: follow('Keras'), ONNX: follow('ONNX') };
}

export interface BothModes {
  readonly x: readonly number[];
  readonly training: readonly number[];
  readonly evaluation: readonly number[];
}

/** A batch whose first example is pinned, in both modes: in evaluation with the given running statistics. */
export function bothModes(seed: number, convention: Convention, { mean, variance }: Running): BothModes {
  manualSeed(100 + seed);
  const x = [PINNED, ...draw(SIZE - 1)];
  const layer = new BatchNorm1d(1, optionsOf[convention]);
  const training = numbersOf(layer.forward(columnOf(x)));
  layer.loadStateDict(
    { running_mean: columnOf([mean]).reshape([1]), running_var: columnOf([variance]).reshape([1]) },
    { strict: false },
  );
  layer.eval();
  return { x, training, evaluation: numbersOf(layer.forward(columnOf(x))) };
}
