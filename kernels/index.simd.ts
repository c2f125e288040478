/** What the WebAssembly module exports: the SIMD form of each kernel and each fusion that names one. */
export * from './batchnorm.simd';
export * from './dense.simd';
export * from './elementwise.simd';
export * from './layout.simd';
export * from './matmul.simd';
export * from './reduce.simd';
export * from './softmax.simd';
export * from './update.simd';

/** Where the memory that the kernels use themselves ends. */
export const heapStart: usize = __heap_base;
