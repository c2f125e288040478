/** The one list of fusions that tests and benchmarks iterate. */
export * from './batchnorm.ts';
export * from './batchnorm-dense.ts';
export { dense, denseDz } from './dense.ts';
export * from './softmax.ts';
export * from './update.ts';
