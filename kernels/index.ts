/** The list of all kernels, which tests, benchmarks and builds iterate. */
export * from './matmul.ts';
export * from './elementwise.ts';
export { gather, gatherDx, repeatAxis, sliceAxis, sliceAxisDx, transpose } from './layout.ts';
export * from './concat.ts';
export * from './reduce.ts';
export { crossEntropy, crossEntropyDx, logSoftmax, logSoftmaxDx, softmax, softmaxDx } from './softmax.ts';
export {
  batchnormDx,
  colMean,
  colVariance,
  foldedScale,
  foldedShift,
  normalize,
  reciprocalStd,
  runningAverage,
  scaleShift,
} from './batchnorm.ts';
export { layernormDx, normalizeRows, rowDot, rowMean, rowSum, rowVariance } from './layernorm.ts';
export * from './update.ts';
export * from './moments.ts';
export * from './dense.ts';
