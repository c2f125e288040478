/**
 * The experiment on color images: a network with one hidden layer, with and without batch normalization, on CIFAR-10.
 *
 *     npm run cifar10 -- --data DIR
 *
 * Pixels from −1 to 1; batches of 64, shuffled each epoch; Adam with learning rate 0.001; cross-entropy; PyTorch's
 * default initialization. After each epoch the network is evaluated on the test images. No choice depends on the
 * results, so no validation images are needed. The networks are in `cifar10/experiment.ts`, and in PyTorch in
 * `cifar10/pytorch.py`.
 */
import { cifar10Command } from './cifar10/command.ts';

await cifar10Command('npm run cifar10 --').parseAsync();
