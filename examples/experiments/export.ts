/**
 * Exports a network of the experiment on MNIST to PyTorch, to train it in several processes.
 *
 *     npm run export -- --net bn --to for-pytorch
 */
import { exportCommand } from './export/command.ts';

await exportCommand('npm run export --').parseAsync();
