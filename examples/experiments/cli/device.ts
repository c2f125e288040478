/** Chooses the device of an experiment: the one named by `--device`, or the fastest for its network. */
import type { Command } from 'commander';
import {
  crossEntropy,
  type DeviceInfo,
  type DeviceName,
  manualSeed,
  type Sequential,
  SGD,
  uniform,
  useDevice,
} from '../../../src/index.ts';
import { integerFrom, oneOf } from './options.ts';

const deviceNames = ['webgpu', 'webgl', 'wasm', 'cpu'] as const satisfies DeviceName[];

/** The options that `deviceOption` adds to a command. */
export interface DeviceOptions {
  readonly device?: DeviceName;
  readonly threads?: number | 'auto';
}

export function deviceOption(command: Command): Command {
  return command
    .option(
      '--device <name>',
      `device, one of ${deviceNames.join(', ')} (default: the fastest for this network, measured with a few steps)`,
      oneOf(deviceNames),
    )
    .option(
      '--threads <n>',
      'threads of the device wasm; the results are the same (default: auto, one per core)',
      threadCount,
    );
}

/** The training step that is timed on each device. */
export interface Trial {
  readonly model: () => Sequential;
  readonly features: number;
  readonly batchSize: number;
}

/** The time to measure each device, in milliseconds. */
const BUDGET = 300;
const WARM_UP = 2;

/**
 * Makes the device current, and returns a sentence that names it.
 *
 * It measures `wasm`, and the GPU that `auto` chooses, which is never a software GPU. The reference kernels on `cpu` are
 * never faster than `wasm`, so they are not measured.
 */
export async function chooseDevice({ device, threads }: DeviceOptions, trial: Trial): Promise<string> {
  const options = threads === undefined ? {} : { threads };
  if (device !== undefined) return `Device: ${describe(await useDevice(device, options))}, as requested.`;
  const best = await useDevice('auto', options);
  if (best.device === 'cpu' || best.device === 'wasm') return `Device: ${describe(best)}${passedOver(best)}.`;
  const onGpu = await stepTime(trial);
  const onCpu = await useDevice('wasm', options).then(
    () => stepTime(trial),
    () => Infinity,
  );
  const chosen = onGpu < onCpu ? await useDevice(best.device) : await useDevice('wasm');
  const times = `${milliseconds(onGpu)} a step on ${best.device}, ${milliseconds(onCpu)} on wasm`;
  return `Device: ${describe(chosen)}, the fastest for this network: ${times}.`;
}

/** The shortest time of a step within the budget, in milliseconds. The first steps, which compile kernels, are ignored. */
async function stepTime({ model: make, features, batchSize }: Trial): Promise<number> {
  manualSeed(1);
  const model = make();
  const optimizer = new SGD(model.parameters(), { lr: 1e-3 });
  const x = uniform([batchSize, features]);
  const labels = new Uint8Array(batchSize);
  let fastest = Infinity;
  const start = performance.now();
  for (let step = 0; step <= WARM_UP || performance.now() - start < BUDGET; step++) {
    const begin = performance.now();
    const loss = crossEntropy(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    await loss.data();
    if (step >= WARM_UP) fastest = Math.min(fastest, performance.now() - begin);
  }
  return fastest;
}

function describe({ device, adapter, threads = 1 }: DeviceInfo): string {
  return `${device} (${adapter}${threads > 1 ? `, ${threads} threads` : ''})`;
}

/** Reads the value of `--threads`. */
function threadCount(value: string): number | 'auto' {
  return value === 'auto' ? value : integerFrom(1)(value);
}

/** Why no GPU was measured. */
function passedOver({ passedOver: others }: DeviceInfo): string {
  const gpus = others.filter(({ device }) => device === 'webgpu' || device === 'webgl');
  return gpus.length === 0
    ? ''
    : `; no GPU: ${gpus.map(({ device, reason }) => `${device}: ${reason}`).join('; ')}`;
}

function milliseconds(time: number): string {
  return Number.isFinite(time) ? `${time.toFixed(2)} ms` : 'not available';
}
