/**
 * The experiment: the same network with and without batch normalization, on MNIST.
 *
 *     npm run mnist
 *
 * The data is MNIST, from a folder, the cache or a download; where it cannot be had, the built-in digits, and the
 * output says so. Pixels / 255; the first 5,000 training images for validation, the others for training; batches of 32,
 * shuffled each epoch; SGD with learning rate 0.001; cross-entropy. The networks are in `mnist/nets.ts`.
 */
import { Command } from 'commander';
import { deviceInfo, SGD, split, take, type Tensor } from '../src/index.ts';
import { type DataOptions, dataOptions, resolveData } from './cli/data.ts';
import { chooseDevice, type DeviceOptions, deviceOption } from './cli/device.ts';
import { type ExperimentOptions, experimentOptions, trainNets } from './cli/experiment.ts';
import { describeMachine, expectWritable } from './cli/results.ts';
import { runCommand } from './cli/run.ts';
import { mnist } from './mnist/data.ts';
import { type NetName, netNames, nets } from './mnist/nets.ts';
import type { Results, Run } from './mnist/results.ts';
import { historyTable, meaning } from './mnist/summary.ts';

const VALIDATION_IMAGES = 5000;
const BATCH_SIZE = 32;
const LEARNING_RATE = 0.001;

interface Options extends ExperimentOptions<NetName>, DataOptions, DeviceOptions {}

const command = new Command('npm run mnist --').description(
  'Trains the same network with and without batch normalization on MNIST.',
);
dataOptions(command, mnist.name, mnist.variable);
deviceOption(command);
const options = experimentOptions(command, netNames, 10).parse().opts<Options>();

await runCommand(async (signal) => {
  await expectWritable('mnist', options.json);
  const { train: images, name, isStandIn, from, sentence } = await resolveData(mnist, options, signal);
  const device = await chooseDevice(options, { model: nets.bn, features: 784, batchSize: BATCH_SIZE });
  const [validation, rest] = split(images, VALIDATION_IMAGES);
  const training = options.limit === undefined ? rest : take(rest, options.limit);
  const machine = describeMachine(deviceInfo());
  console.log(
    `${sentence}\n` +
      `${device} ${machine.cpu}, Node ${machine.node}.\n` +
      `${name}: ${training.labels.length} images to train on, ${VALIDATION_IMAGES} to validate.`,
  );

  const runs: Run[] = [];
  const results: Results = {
    experiment: 'mnist-batchnorm',
    data: name,
    from,
    trainingImages: training.labels.length,
    epochs: options.epochs,
    machine,
    runs,
  };
  const optimizer = (parameters: readonly Tensor[]) => new SGD(parameters, { lr: LEARNING_RATE });
  const comparable = options.limit === undefined && !isStandIn;
  const summary = () => `On ${name}:\n${historyTable(runs, comparable)}\n\n${meaning(runs)}`;
  const experiment = { nets, training, validation, batchSize: BATCH_SIZE, optimizer };
  await trainNets(experiment, options, signal, { runs, results, summary });
});
