/** The results of a host as tables, for the terminal and for the page. */
import type { DeviceInfo } from '../../src/index.ts';
import { digits, milliseconds } from '../format.ts';
import type { HostReport, StepTiming } from './gpu-report.ts';
import type { Sampled } from './turns.ts';

export interface Table {
  readonly title: string;
  /** A warning that belongs to the table, or ''. */
  readonly note: string;
  readonly head: string[];
  readonly rows: string[][];
  /** How many of the first columns are text; the others are numbers. */
  readonly words: number;
}

/** The note of every table of a software GPU. */
export const NOT_A_RESULT = 'SOFTWARE GPU: shows that results are right, not how fast a GPU is';

/** The host, its GPUs, and the GPUs that were passed over. */
export function introduction({ host, devices, passedOver }: HostReport): string[] {
  return [
    host,
    ...devices.map(
      (info) => `${info.device}: ${info.adapter}${info.software === true ? ', a software GPU' : ''}`,
    ),
    ...passedOver.map(({ device, reason }) => `${device} passed over: ${reason}`),
  ];
}

export function tablesOf(report: HostReport): Table[] {
  const tables = [...kernelTables(report), stepTable(report), readingTable(report), submitTable(report)];
  return tables.filter(({ rows }) => rows.length > 0);
}

function kernelTables({ kernels, devices }: HostReport): Table[] {
  return devices.map((info) => ({
    title: `Kernels on ${info.device} (${info.adapter})`,
    note: noteOn([info]),
    head: ['kernel', 'size', 'compile, ms', 'launch, ms', 'least … most', 'GFLOP/s', 'GB/s'],
    rows: kernels
      .filter(({ device }) => device === info.device)
      .map(({ kernel, size, compile, seconds, gigaflops, gigabytesPerSecond, ...sampled }) => [
        kernel,
        size,
        compile === null ? '–' : milliseconds(compile),
        milliseconds(seconds),
        range(sampled),
        gigaflops === 0 ? '–' : digits(gigaflops),
        digits(gigabytesPerSecond),
      ]),
    words: 2,
  }));
}

/** A row for each network and batch, then one with the smallest batch from which on the GPU is faster. */
function stepTable({ steps, devices }: HostReport): Table {
  const names = [...new Set(steps.map(({ device }) => device))];
  const gpus = names.filter((name) => name !== 'wasm');
  const nets = [...new Set(steps.map(({ net }) => net))];
  const rows = nets.flatMap((net) => {
    const ofNet = steps.filter((timing) => timing.net === net);
    const batches = [...new Set(ofNet.map(({ batch }) => batch))];
    const at = (batch: number, name: string) =>
      ofNet.find((timing) => timing.batch === batch && timing.device === name)?.seconds ?? NaN;
    return [
      ...batches.map((batch) => [
        net,
        String(batch),
        ...names.map((name) => milliseconds(at(batch, name))),
        ...gpus.map((name) => digits(at(batch, 'wasm') / at(batch, name))),
      ]),
      [
        net,
        'wins from',
        ...names.map((name) => (name === 'wasm' ? '' : winsFrom(ofNet, name))),
        ...gpus.map(() => ''),
      ],
    ];
  });
  return {
    title: 'Training step: forward, backward, SGD',
    note: noteOn(devices),
    head: ['net', 'batch', ...names.map((name) => `${name}, ms`), ...gpus.map((name) => `wasm ÷ ${name}`)],
    rows,
    words: 1,
  };
}

function winsFrom(timings: readonly StepTiming[], name: StepTiming['device']): string {
  const from = crossover(timings, name);
  return from === null ? `none up to ${Math.max(...timings.map(({ batch }) => batch))}` : String(from);
}

/**
 * The smallest batch such that the device takes less time than `wasm` there and at all larger batches that were
 * measured. Null if it takes more time at the largest.
 */
export function crossover(
  timings: readonly Pick<StepTiming, 'device' | 'batch' | 'seconds'>[],
  device: StepTiming['device'],
): number | null {
  const secondsOf = (name: string, batch: number) =>
    timings.find((timing) => timing.device === name && timing.batch === batch)?.seconds ?? NaN;
  const batches = timings.filter((timing) => timing.device === device).map(({ batch }) => batch);
  let from: number | null = null;
  for (const batch of batches.sort((a, b) => b - a)) {
    if (!(secondsOf(device, batch) < secondsOf('wasm', batch))) break;
    from = batch;
  }
  return from;
}

function readingTable({ reading, devices }: HostReport): Table {
  return {
    title: 'Training step, when the loss is read after each step or every 16th',
    note: noteOn(devices),
    head: ['net', 'device', 'batch', 'each step, ms', 'every 16th, ms', 'each ÷ 16th'],
    rows: reading.map(({ net, device, batch, each, seldom }) => [
      net,
      device,
      String(batch),
      milliseconds(each.seconds),
      milliseconds(seldom.seconds),
      digits(each.seconds / seldom.seconds),
    ]),
    words: 2,
  };
}

function submitTable({ submits, devices }: HostReport): Table {
  return {
    title: 'Training step on webgpu, by the number of kernels in one submit',
    note: noteOn(devices.filter(({ device }) => device === 'webgpu')),
    head: ['net', 'submitted', 'batch', 'ms', 'least … most', 'submits a step', 'writes a step'],
    rows: submits.map(({ net, mode, batch, seconds, submitsPerStep, writesPerStep, ...sampled }) => [
      net,
      mode,
      String(batch),
      milliseconds(seconds),
      range(sampled),
      digits(submitsPerStep),
      digits(writesPerStep),
    ]),
    words: 2,
  };
}

function range({ least, most }: Pick<Sampled, 'least' | 'most'>): string {
  return `${milliseconds(least)} … ${milliseconds(most)}`;
}

function noteOn(devices: readonly DeviceInfo[]): string {
  const software = devices.filter((info) => info.software === true);
  if (software.length === 0) return '';
  if (software.length === devices.length) return NOT_A_RESULT;
  return `${software.map(({ device }) => device).join(', ')}: ${NOT_A_RESULT}`;
}
