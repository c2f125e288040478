/** What the WebAssembly module exports: the SIMD form of each kernel and each fusion that names one. */
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
export * from './layout';
export { matmul, matmulTransposedA, matmulTransposedB } from './matmul';
export * from './reduce';
export * from './softmax';
export * from './update';

/** Where the memory that the kernels use themselves ends. */
export const heapStart: usize = __heap_base;
