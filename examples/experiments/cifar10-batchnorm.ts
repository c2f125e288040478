/**
 * The experiment on color images: a network of one hidden layer with and without batch normalization, on CIFAR-10.
 *
 *     npm run cifar10 -- --data DIR
 *
 * Pixels from −1 to 1; batches of 64, shuffled each epoch; Adam with learning rate 0.001; cross-entropy; PyTorch's
 * default initialization. After each epoch the test images are classified in evaluation mode: nothing is chosen by
 * that, so there are no validation images. The networks are in `cifar10/nets.ts`, the same in PyTorch in
 * `cifar10/pytorch.py`.
 */
import { cifar10Command } from './cifar10/command.ts';

await cifar10Command('npm run cifar10 --').parseAsync();
