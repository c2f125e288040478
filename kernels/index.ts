/** The one list of kernels that tests, benchmarks and docs iterate. */
export * from './matmul.ts';
export {
  abs,
  absDx,
  add,
  div,
  exp,
  leakyRelu,
  leakyReluDx,
  log,
  maximum,
  maximumDx,
  mul,
  pow,
  powDx,
  relu,
  reluDx,
  scale,
  sigmoid,
  sigmoidDx,
  sqrt,
  sub,
  tanh,
  tanhDx,
} from './elementwise.ts';
export * from './layout.ts';
export * from './reduce.ts';
export { crossEntropy, crossEntropyDx, logSoftmax, logSoftmaxDx, softmax, softmaxDx } from './softmax.ts';
export * from './batchnorm.ts';
export * from './update.ts';
export { addBias } from './dense.ts';
