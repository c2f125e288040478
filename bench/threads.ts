/**
 * Threads of the wasm device: `npm run bench -- threads [numbers of threads]` times products, batch normalization and training
 * steps with one thread and with others, in turns, and what the machine allows.
 */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { matmul } from '../kernels/matmul.ts';
import { deviceInfo, randn, scope } from '../src/index.ts';
import { nets } from '../src/networks.ts';
import { integerFrom, progress, runCommand } from './command-line.ts';
import { digits, milliseconds, percent } from './format.ts';
import { describeMachine, machineText } from './machine.ts';
import { batchnormAt } from './scaling.ts';
import type { Summary } from './statistics.ts';
import { type StepCase, stepCases, stepName } from './step-timing.ts';
import { tableOf } from './tables.ts';
import { type Limit, type Limits, openLimits } from './thread-limits.ts';
import { atMost, type Timed, type ThreadsReport } from './threads-report.ts';
import { CAREFUL, dividedShare, openThreads, QUICK, timeTogether } from './thread-timing.ts';
import { timeInChromium } from './threads-in-chromium.ts';
import { stepOf, trainingOf } from './training.ts';
import { writeJson } from './write-json.ts';

/** What is timed. */
interface Workload {
  readonly name: string;
  /** Returns the function that is timed. */
  readonly open: () => () => unknown;
  /** How many times as fast two threads are to be. */
  readonly goal: number;
  /** What bounds it. */
  readonly limit: Limit;
}

const stepGoals: Readonly<Record<number, number>> = { 32: 1.5, 256: 1.8, 1024: 1.85 };

const workloads: readonly Workload[] = [
  ...[512, 1024].map((n): Workload => {
    const open = () => {
      const [a, b] = [randn([n, n]), randn([n, n])];
      return () => {
        scope(() => void a.matmul(b));
      };
    };
    return { name: `${matmul.name} ${n}³`, open, goal: 1.85, limit: 'products' };
  }),
  { name: 'BatchNorm1d 1024×512', open: () => batchnormAt(1024, 512), goal: 1.5, limit: 'norms' },
  ...stepCases.map((stepCase): Workload => {
    const open = () => {
      const training = trainingOf(nets[stepCase.net], 784, stepCase.batch, stepCase.inputs);
      return () => stepOf(training).dataSync();
    };
    const { batch } = stepCase;
    return {
      name: stepName(stepCase),
      open,
      goal: stepGoals[batch],
      limit: batch === 32 ? 'weights' : 'products',
    };
  }),
];

interface Options {
  readonly filter: string;
  readonly quick: boolean;
  readonly json?: string;
  readonly chromium: boolean;
}

/** In a page, the step that is to be 1.6 times as fast on two threads. */
const IN_PAGE: StepCase = { net: 'bn', batch: 256, inputs: 'digits' };

async function run(counts: readonly number[], { filter, quick, json, chromium }: Options): Promise<void> {
  const machine = describeMachine();
  console.log(machineText(machine));
  const turns = quick ? QUICK : CAREFUL;
  const most = Math.max(...counts);
  if (chromium) {
    const [timings] = await timeInChromium([{ ...IN_PAGE, threads: most, turns }]);
    const result = {
      name: `${stepName(IN_PAGE)}, Chromium`,
      goal: 1.6,
      timings,
      divided: null,
      allowed: null,
      most: null,
    };
    console.log(table([result], [most]));
    await write(json, {
      quick,
      machine,
      backend: 'wasm (Chromium)',
      counts: [most],
      limits: null,
      results: [result],
    });
    return;
  }
  const chosen = workloads.filter(({ name }) => name.includes(filter.replaceAll(/(\d)x(?=\d)/g, '$1×')));

  progress('limits');
  const { measured: limits, subjects, close } = await openLimits(most, turns);
  progress('');
  console.log(limitText(limits, most));

  const pool = await openThreads(most);
  const results: Timed[] = [];
  for (const { name, open, goal, limit } of chosen) {
    progress(name);
    const work = open();
    const [timings, [, { speedup: allowed }]] = await timeTogether(
      [{ pool, counts, work }, subjects[limit]],
      turns,
    );
    const divided = dividedShare(pool, most, work);
    results.push({ name, goal, timings, divided, allowed, most: atMost(divided, allowed.median) });
  }
  progress('');
  console.log(table(results, counts));
  pool.stop();
  close();
  const { device, adapter } = deviceInfo();
  await write(json, { quick, machine, backend: `${device} (${adapter})`, counts, limits, results });
}

async function write(
  json: string | undefined,
  measured: Omit<ThreadsReport, 'benchmark' | 'date'>,
): Promise<void> {
  if (json === undefined) return;
  const report: ThreadsReport = {
    benchmark: 'gammabeta threads',
    date: new Date().toISOString(),
    ...measured,
  };
  await writeJson(json, report);
}

function limitText(limits: Limits, count: number): string {
  const { latency, products, norms, weights, sums, reading, interruptions } = limits;
  const times = ({ median, quartiles: [low, high] }: Summary) =>
    `${digits(median)} times as fast as one (${digits(low)} … ${digits(high)})`;
  return [
    `fork and join: ${latency.toFixed(2)} µs`,
    `${count} threads, a product of its own each: ${times(products)}`,
    `${count} threads, a batch normalization of its own each: ${times(norms)}`,
    `2 threads, the first layer of a step at batch 32: ${times(weights)}`,
    `${count} threads, sums of arrays of 16 MB: ${times(sums)}`,
    `reading what the own core has written: ${digits(reading.own)} GB/s; what another has: ${digits(reading.others)} GB/s`,
    `time that something else takes: ${percent(100 * interruptions.one)} with one thread, ${percent(100 * interruptions.all)} with ${count}`,
  ].join('\n');
}

function table(results: readonly Timed[], counts: readonly number[]): string {
  const most = Math.max(...counts);
  return tableOf(
    [
      '',
      '1 thread, ms',
      ...counts.flatMap((n) => [`${n}, ms`, 'faster', 'middle half']),
      'divided',
      'limit',
      'at most',
      'goal',
    ],
    results.map(({ name, goal, timings: [one, ...others], divided, allowed, most: bound }) => [
      name,
      milliseconds(one.milliseconds / 1000),
      ...others.flatMap(({ milliseconds: time, speedup: { median, quartiles } }) => [
        milliseconds(time / 1000),
        digits(median),
        quartiles.map(digits).join(' … '),
      ]),
      divided === null ? '–' : percent(100 * divided),
      allowed === null ? '–' : digits(allowed.median),
      bound === null ? '–' : digits(bound),
      most === 2 ? String(goal) : '–',
    ]),
    1,
  );
}

/** 2, 4, 8 …, and the number of cores. */
function upToCores(): number[] {
  const cores = Math.max(2, availableParallelism());
  const powers = [2, 4, 8, 16, 32].filter((count) => count < cores);
  return [...powers, cores];
}

const parser = new Command('threads')
  .description('Times kernels and steps with one thread and with others, in turns.')
  .argument('[counts...]', 'numbers of threads (default: 2, 4, 8 …, up to the number of cores)')
  .option('--filter <text>', "only lines that contain this, such as 'step bn'", '')
  .option('--quick', 'a rough look instead of a measurement', false)
  .option('--chromium', 'instead, a step of bn at batch 256 in a page of Chromium', false)
  .option('--json <file>', 'also write the results to a file')
  .parse();

await runCommand(() => {
  const counts = parser.args.map(integerFrom(2));
  return run(counts.length === 0 ? upToCores() : counts, parser.opts<Options>());
});
