/** The command line of the lab. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { deviceInfo } from '../../../src/index.ts';
import { type DataOptions, dataOptions, resolveData } from '../cli/data.ts';
import { integerFrom, listOf, oneOf } from '../cli/options.ts';
import { expectFolder, type ReportOptions, reportOption } from '../cli/report.ts';
import { describeMachine, expectWritable } from '../cli/results.ts';
import { runCommand } from '../cli/run.ts';
import { writeJson } from '../cli/write-json.ts';
import { mnist } from '../mnist/data.ts';
import { claims } from './claims.ts';
import { checksum, labData } from './data.ts';
import { labProgress } from './progress.ts';
import { labReport } from './report.ts';
import { type LabResults, resultsOf } from './results.ts';
import { runClaims } from './runner.ts';
import { Store } from './store.ts';
import { terminalFigure, verdictTable } from './summary.ts';

interface Options extends DataOptions, ReportOptions {
  readonly full?: boolean;
  readonly claims: string[];
  readonly jobs: number;
  readonly fresh?: boolean;
  readonly json?: string;
}

const names = claims.map(({ name }) => name);

/** @param name The command as the user types it, for the help. */
export function labCommand(name: string): Command {
  const command = new Command(name)
    .description('Tests claims about batch normalization, one by one.')
    .addOption(new Option('--quick', 'five seeds and few steps; takes minutes (default)').conflicts('full'))
    .option('--full', 'ten seeds, more steps and settings, as in the documentation')
    .addOption(
      new Option('--claims <names>', `claims to test, of ${names.join(', ')}`)
        .argParser(listOf(oneOf(names)))
        .default(names, 'all'),
    )
    .option('--jobs <n>', 'number of runs in parallel', integerFrom(1), availableParallelism())
    .option('--fresh', 'repeat all runs, also those saved by an earlier command')
    .option('--json <file>', 'write all measured values to this file');
  return reportOption(dataOptions(command, mnist.name, mnist.variable)).action((options: Options) =>
    runCommand(
      (signal) => run(options, signal),
      `interrupted: completed runs are saved. Hint: the same command${options.fresh ? ' without --fresh' : ''} continues with the others.`,
    ),
  );
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  await expectWritable('lab', options.json);
  await expectFolder('lab', options);
  const effort = options.full ? 'full' : 'quick';
  const found = await resolveData(mnist, options, signal);
  const data = labData(found, effort);
  const machine = describeMachine(deviceInfo());
  const chosen = claims.filter(({ name }) => options.claims.includes(name));
  console.log(
    `${found.sentence}\n` +
      `Device: ${machine.device}. ${machine.cpu}, Node ${machine.node}.\n` +
      `${found.name}: ${data.training.labels.length} images to train on, ${data.test.labels.length} to test.`,
  );

  const digest = checksum(data);
  const store = new Store(join(options.out, 'lab', `${effort}-${digest.slice(0, 8)}`), digest);
  if (options.fresh) await store.clear();
  const progress = labProgress(chosen, effort);
  try {
    const { jobs } = options;
    const runs = await runClaims(chosen, { effort, jobs, data, store, signal, onRun: progress.run });
    progress.stop();
    const results: LabResults = {
      experiment: 'lab',
      data: found.name,
      from: found.from,
      trainingImages: data.training.labels.length,
      testImages: data.test.labels.length,
      effort,
      machine,
      claims: chosen.map((claim) => resultsOf(claim, runs.get(claim) ?? [])),
    };
    console.log(`\nOn ${found.name}:\n${verdictTable(results)}`);
    const figure = terminalFigure(results);
    if (figure !== '') console.log(`\n${figure}`);
    if (options.json !== undefined) {
      await writeJson(options.json, results);
      console.log(`\nWritten: ${options.json}`);
    }
    const file = join(options.out, 'lab.html');
    const { writeReport } = await import('../report/page.tsx'); // loaded here because charts load slowly, and --help does not need them
    await writeReport(file, labReport(results, options.out));
    console.log(`\n${file}`);
  } finally {
    progress.stop();
  }
}
