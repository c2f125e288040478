/**
 * The experiment: the same network with and without batch normalization, on MNIST.
 *
 *     npm run mnist
 *
 * MNIST is read from a folder or the cache, or downloaded. If it is unavailable, the networks train on the built-in
 * synthetic digits, and the output says so. Pixels / 255; the first 5,000 training images for validation, the others for
 * training; batches of 32, shuffled each epoch; SGD with learning rate 0.001; cross-entropy. The networks are in
 * `src/networks.ts`.
 */
import { mnistCommand } from './mnist/command.ts';

await mnistCommand('npm run mnist --').parseAsync();
