/** What the WebAssembly module exports: the SIMD form of each kernel and each fusion that names one. */
export {
  batchnormBackward,
  batchnormForward,
  batchnormInference,
  batchnormSums,
  batchnormTraining,
  runningStatistics,
} from './batchnorm.simd';
export * from './batchnorm-dense.simd';
export { addBias, dense, denseDz } from './dense.simd';
export * from './elementwise.simd';
export * from './layout.simd';
export { matmul, matmulTransposedA, matmulTransposedB } from './matmul.simd';
export * from './reduce.simd';
export * from './softmax.simd';
export * from './update.simd';

/** Where the memory that the kernels use themselves ends. */
export const heapStart: usize = __heap_base;
