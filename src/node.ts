/** `gammabeta/node`: functions for Node that read and write files, and download data if requested. */
export { type Cifar10, type Cifar10Options, loadCifar10 } from './data/files/cifar10-file.ts';
export type { DownloadProgress } from './data/download/download.ts';
export { loadMnist, type Mnist, type MnistOptions } from './data/files/mnist.ts';
export type { DataOrigin, SourceOptions } from './data/files/source.ts';
export { loadWeights, saveWeights } from './io/weights-file.ts';
export { loadCheckpoint, saveCheckpoint } from './training/checkpoint/file.ts';
export { exportPyTorch, type ExportPyTorchOptions } from './training/pytorch/export-pytorch.ts';
