/** What a host measured, as tables: the terminal prints them, and the page shows them. */
import type { DeviceInfo } from '../../src/index.ts';
import { digits, milliseconds } from '../format.ts';
import type { HostReport, StepTiming } from './gpu-report.ts';
import type { Sampled } from './turns.ts';

export interface Table {
  readonly title: string;
  /** What has to be known beside it; empty where nothing has. */
  readonly note: string;
  readonly head: string[];
  readonly rows: string[][];
  /** How many of the first columns are words; the others are numbers. */
  readonly words: number;
}

/** Stands in the title of whatever a software GPU takes its time for. */
export const NOT_A_RESULT = 'SOFTWARE GPU: shows that it computes right, not how fast a GPU is';

/** Host, GPUs, and what was passed over. */
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

/** A line for each network and batch; below them, the batch from which on the GPU wins. */
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
 * The smallest batch from which the device takes less time than `wasm`, at it and at all larger ones that were
 * measured; null if it loses at the largest.
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
    title: 'Training step, by how often the loss is read',
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
    title: 'Training step on webgpu, by what is submitted together',
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
