/** The list of all fusions, which tests and benchmarks iterate. */
export * from './batchnorm.ts';
export * from './batchnorm-dense.ts';
export * from './layernorm.ts';
export { dense } from './dense.ts';
export * from './dense-dz.ts';
export * from './softmax.ts';
export { momentumUpdate, sgdUpdate } from './sgd.ts';
export { adamUpdate, amsgradUpdate } from './adam.ts';
export * from './rmsprop.ts';
