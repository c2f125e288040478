/** The one list of fusions that tests and benchmarks iterate. */
export * from './batchnorm-fused.ts';
export * from './batchnorm-dense.ts';
export { dense, denseDz } from './dense.ts';
export * from './softmax-fused.ts';
export * from './update-fused.ts';
