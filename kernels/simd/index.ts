/** The exports of the WebAssembly module: the SIMD form of each kernel and fusion that has one. */
export * from './batchnorm';
export { addPairs, beginMoments, coefficientsOf, momentRuns } from './batchnorm-moments';
export * from './batchnorm-dense';
export { addBias, dense, denseDz, denseDzRows, densePart, sumDenseRuns } from './dense';
export * from './elementwise';
export * from './layernorm';
export * from './layout';
export { matmul, matmulTransposedA, matmulTransposedB, productForm, productPart } from './matmul';
export * from './reduce';
export { runSums } from './run-sums';
export * from './softmax';
export { areFinite, isSparse } from './sparse';
export * from './terms';
export * from './update';

/** The end of the memory that the kernels use themselves; the device allocates from here on. */
export const heapStart: usize = __heap_base;
