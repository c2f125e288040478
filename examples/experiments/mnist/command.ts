/** The command line of the experiment on MNIST. */
import { Command } from 'commander';
import { deviceInfo, SGD, split, take, type Tensor } from '../../../src/index.ts';
import { type DataOptions, dataOptions, resolveData } from '../cli/data.ts';
import { chooseDevice, type DeviceOptions, deviceOption } from '../cli/device.ts';
import { type ExperimentOptions, experimentOptions, trainNets } from '../cli/experiment.ts';
import { expectFolder } from '../cli/report.ts';
import { describeMachine, expectWritable } from '../cli/results.ts';
import { runCommand } from '../cli/run.ts';
import type { Inside } from '../report/watch.ts';
import { mnist } from './data.ts';
import { type NetName, netNames, nets } from '../../../src/networks.ts';
import { findingsOf } from './report.ts';
import type { Results, Run } from './results.ts';
import { BATCH_SIZE, LEARNING_RATE, VALIDATION_IMAGES } from './settings.ts';
import { historyTable, meaning } from './summary.ts';

interface Options extends ExperimentOptions<NetName>, DataOptions, DeviceOptions {}

/** @param name The command as the user types it, for the help. */
export function mnistCommand(name: string): Command {
  const command = new Command(name).description(
    'Trains the same network with and without batch normalization on MNIST.',
  );
  dataOptions(command, mnist.name, mnist.variable);
  deviceOption(command);
  return experimentOptions(command, netNames, 10).action((options: Options) =>
    runCommand((signal) => run(options, signal)),
  );
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  await expectWritable('mnist', options.json);
  await expectFolder('mnist', options);
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
  const findings = (insides: ReadonlyMap<string, Inside>) =>
    findingsOf(results, {
      insides,
      validation,
      comparable,
      batchSize: BATCH_SIZE,
      learningRate: LEARNING_RATE,
    });
  const outcome = { runs, results, summary, findings, reportFile: 'mnist.html' };
  await trainNets(experiment, options, signal, outcome);
}
