/** `gammabeta/node`: what reads and writes files. */
export { loadMnist, type Mnist, type MnistOptions } from './data/mnist.ts';
export { loadCheckpoint, saveCheckpoint } from './training/checkpoint-file.ts';
