/**
 * The experiment: the same network with and without batch normalization, on MNIST.
 *
 *     npm run mnist
 *
 * The data is MNIST, from a folder, the cache or a download; where it cannot be had, the built-in digits, and the
 * output says so. Pixels / 255; the first 5,000 training images for validation, the others for training; batches of 32,
 * shuffled each epoch; SGD with learning rate 0.001; cross-entropy. The networks are in `mnist/nets.ts`.
 */
import { mnistCommand } from './mnist/command.ts';

await mnistCommand('npm run mnist --').parseAsync();
