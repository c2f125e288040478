/** The command line of the experiment on CIFAR-10. */
import { Command } from 'commander';
import { deviceInfo, take } from '../../../src/index.ts';
import { loadCifar10 } from '../../../src/node.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import {
  BATCH_SIZE,
  EPOCHS,
  LEARNING_RATE,
  type NetName,
  netNames,
  nets,
  optimizer,
  pixels,
} from './experiment.ts';
import { findingsOf } from './report.ts';
import type { Results, Run } from './results.ts';
import { type DataOptions, dataOptions, resolveData } from '../cli/data.ts';
import { chooseDevice, type DeviceOptions, deviceOption } from '../cli/device.ts';
import { type ExperimentOptions, experimentOptions, trainNets } from '../cli/experiment.ts';
import { expectFolder } from '../cli/report.ts';
import { describeMachine, expectWritable } from '../cli/results.ts';
import { runCommand } from '../cli/run.ts';
import { finalAccuracies, meaningOf, netsTable } from '../cli/summary.ts';
import type { Inside } from '../report/watch.ts';

/** The held-out images are the test images, so the output calls their columns test instead of val. */
const columnNames = {
  loss: 'loss',
  accuracy: 'accuracy',
  valLoss: 'testLoss',
  valAccuracy: 'testAccuracy',
};

interface Options extends DataOptions, DeviceOptions, ExperimentOptions<NetName> {}

/** @param name The command as the user types it, for the help. */
export function cifar10Command(name: string): Command {
  const command = new Command(name).description(
    'Trains the same network with and without batch normalization on CIFAR-10.',
  );
  dataOptions(command, 'CIFAR-10', 'CIFAR10_DIR');
  deviceOption(command);
  return experimentOptions(command, netNames, EPOCHS).action((options: Options) =>
    runCommand((signal) => run(options, signal)),
  );
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  await expectWritable('cifar10', options.json);
  await expectFolder('cifar10', options);
  const wanted = { name: 'CIFAR-10', variable: 'CIFAR10_DIR', load: loadCifar10 };
  const found = await resolveData(wanted, options, signal);
  const device = await chooseDevice(options, { model: nets.bn, features: 3072, batchSize: BATCH_SIZE });
  const train = { ...found.train, ...pixels };
  const training = options.limit === undefined ? train : take(train, options.limit);
  const test = { ...found.test, ...pixels };
  const machine = describeMachine(deviceInfo());
  console.log(
    `${found.sentence}\n` +
      `${device} ${machine.cpu}, Node ${machine.node}.\n` +
      `${found.name}: ${training.labels.length} images to train on, ${test.labels.length} to test.`,
  );

  const runs: Run[] = [];
  const results: Results = {
    experiment: 'cifar10-batchnorm',
    data: found.name,
    from: found.from,
    trainingImages: training.labels.length,
    testImages: test.labels.length,
    epochs: options.epochs,
    batchSize: BATCH_SIZE,
    learningRate: LEARNING_RATE,
    machine,
    versions: { gammabeta: packageJson.version, node: process.version },
    runs,
  };
  const headings = ['loss', 'acc', 'test loss', 'test acc'];
  const summary = () => {
    const shown = netNames.filter((net) => runs.some((run) => run.net === net));
    const table = netsTable(shown, runs, { headings });
    return `${table}\n\n${meaningOf(runs, ['bn'], 'test images')}\n\n${finalAccuracies(runs)}`;
  };
  const experiment = { nets, training, validation: test, batchSize: BATCH_SIZE, optimizer, columnNames };
  const findings = (insides: ReadonlyMap<string, Inside>) => findingsOf(results, { insides, test });
  const outcome = { runs, results, summary, findings, reportFile: 'cifar10.html' };
  await trainNets(experiment, options, signal, outcome);
}
