/** `npm run bench`: every kernel at the sizes that matter, and a training step. See README.md. */
import { Command } from 'commander';
import { writeJson } from '../examples/cli/write-json.ts';
import * as kernels from '../kernels/index.ts';
import { deviceInfo, type DeviceName, useDevice } from '../src/index.ts';
import { currentDevice } from '../src/tensor/devices.ts';
import { benchmarkCases } from './kernel-cases.ts';
import { KernelDisagreesError, type KernelTiming, sizeName, timeKernel } from './kernels.ts';
import { describeMachine, header, kernelTable, type Report, stepTable } from './report.ts';
import { stepNets, type StepTiming, timeStep } from './steps.ts';
import { Validation } from './validation.ts';

interface Options {
  readonly json?: string;
  readonly filter: string;
  readonly quick: boolean;
  readonly device: string;
}

const options = new Command('bench')
  .description('Validates and times the kernels and a training step.')
  .option('--json <file>', 'write the results to a file too')
  .option('--filter <text>', "only what has this in its line, such as 'matmul 32x784' or 'step'", '')
  .option('--quick', 'a look, not a measurement', false)
  .option('--device <name>', 'auto, or the name of a device', 'auto')
  .parse()
  .opts<Options>();

/** The work that the filter leaves. */
function selected(): {
  readonly kernelNames: [keyof typeof kernels, number][];
  readonly nets: typeof stepNets;
} {
  const text = options.filter.replaceAll(/(\d)x(?=\d)/g, '$1×'); // which no keyboard has
  const wanted = (line: string) => line.includes(text);
  const names = Object.keys(benchmarkCases) as (keyof typeof kernels)[];
  const kernelNames = names.flatMap((name) =>
    benchmarkCases[name].flatMap((benchmark, k): [keyof typeof kernels, number][] =>
      wanted(`${name} ${sizeName(benchmark)}`) ? [[name, k]] : [],
    ),
  );
  return { kernelNames, nets: stepNets.filter((net) => wanted(`step ${net}`)) };
}

/** The line that says what is being timed; a terminal shows it until the next one. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}

async function main(): Promise<void> {
  const machine = describeMachine(); // before the load is our own
  await useDevice(options.device as DeviceName | 'auto');
  const device = deviceInfo();
  console.log(header({ machine, device }));

  const { kernelNames, nets } = selected();
  if (kernelNames.length + nets.length === 0) {
    throw new Error(
      `--filter: nothing has '${options.filter}' in its line. Hint: leave it out to see all lines`,
    );
  }
  const timings: KernelTiming[] = [];
  const refused: string[] = [];
  const validation = new Validation();
  try {
    for (const [name, k] of kernelNames) {
      const benchmark = benchmarkCases[name][k];
      progress(`${name} ${sizeName(benchmark)}`);
      try {
        const validated = () => validation.validate({ device: device.device, name, k });
        timings.push(await timeKernel(kernels[name], benchmark, currentDevice(), validated, options));
      } catch (error) {
        if (!(error instanceof KernelDisagreesError)) throw error;
        refused.push(error.message);
      }
    }
  } finally {
    validation.close();
  }
  const steps: StepTiming[] = [];
  for (const net of nets) {
    progress(`step ${net}`);
    steps.push(await timeStep(net, options));
  }
  progress('');

  if (timings.length > 0) console.log(kernelTable(timings));
  if (steps.length > 0) console.log(stepTable(steps));
  for (const line of refused) console.error(`not timed, because it is wrong: ${line}`);
  if (refused.length > 0) process.exitCode = 1;
  if (options.json !== undefined) {
    const report: Report = {
      benchmark: 'gammabeta',
      date: new Date().toISOString(),
      quick: options.quick,
      machine,
      device,
      kernels: timings,
      steps,
      refused,
    };
    await writeJson(options.json, report);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
