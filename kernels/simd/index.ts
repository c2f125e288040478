/** The exports of the WebAssembly module: the SIMD form of each kernel and fusion that has one. */
export {
  batchnormBackward,
  batchnormForward,
  batchnormInference,
  batchnormSums,
  batchnormTraining,
  runningStatistics,
} from './batchnorm';
export * from './batchnorm-dense';
export { addBias, dense, denseDz } from './dense';
export * from './elementwise';
export * from './layernorm';
export * from './layout';
export { matmul, matmulTransposedA, matmulTransposedB } from './matmul';
export * from './reduce';
export * from './softmax';
export * from './update';

/** The end of the memory that the kernels use themselves; the device allocates from here on. */
export const heapStart: usize = __heap_base;
