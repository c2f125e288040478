/** The results of a host as tables, for the terminal and for the page. */
import type { DeviceInfo } from '../../src/index.ts';
import { digits, milliseconds } from '../format.ts';
import type { HostReport, LaunchTiming, StepTiming } from './gpu-report.ts';
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
    ...devices.flatMap(({ device, adapter, software = false, products, refused = [] }) => [
      `${device}: ${adapter}${software ? ', a software GPU' : ''}`,
      ...(products === undefined ? [] : [`${device}: products ${products.form}, ${products.reason}`]),
      ...refused.map((line) => `${device} refused ${line}`),
    ]),
    ...passedOver.map(({ device, reason }) => `${device} passed over: ${reason}`),
  ];
}

export function tablesOf(report: HostReport): Table[] {
  const tables = [
    productTable(report),
    callTable(report),
    stepTable(report),
    readingTable(report),
    peerTable(report),
    ...kernelTables(report),
  ];
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
    const orDash = (value: number, text: (value: number) => string) => (isNaN(value) ? '–' : text(value));
    return [
      ...batches.map((batch) => [
        net,
        String(batch),
        ...names.map((name) => orDash(at(batch, name), milliseconds)),
        ...gpus.map((name) => orDash(at(batch, 'wasm') / at(batch, name), digits)),
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
  const batches = new Set(timings.filter(({ device }) => device === 'wasm').map(({ batch }) => batch));
  const from = crossover(
    timings.filter(({ batch }) => batches.has(batch)),
    name,
  );
  return from === null ? `none up to ${Math.max(...batches)}` : String(from);
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

function productTable({ products, devices }: HostReport): Table {
  return {
    title: 'Products of square matrices on webgpu',
    note: noteOn(devices.filter(({ device }) => device === 'webgpu')),
    head: ['product', 'form', 'size', 'ms', 'least … most', 'TFLOP/s'],
    rows: products.map(({ kernel, form, size, seconds, teraflops, ...sampled }) => [
      kernel,
      form,
      size,
      milliseconds(seconds),
      range(sampled),
      digits(teraflops),
    ]),
    words: 2,
  };
}

function callTable({ calls, devices }: HostReport): Table {
  return {
    title: "WebGPU's calls in a training step whose loss is read",
    note: noteOn(devices.filter(({ device }) => device === 'webgpu')),
    head: ['net', 'batch', 'launches', 'submits', 'writes', 'new buffers'],
    rows: calls.map(({ net, batch, launches, submits, writes, buffers }) => [
      net,
      String(batch),
      ...[launches, submits, writes].map(digits),
      String(buffers),
    ]),
    words: 1,
  };
}

/** A row for each workload, with the time of each library and its ratio to gammabeta's. */
function peerTable({ peers = [], devices }: HostReport): Table {
  const libraries = [...new Set(peers.map(({ library }) => library))];
  const [ours, ...others] = libraries;
  const rows = [...new Set(peers.map(({ workload }) => workload))].map((workload) => {
    const at = (library: string) =>
      peers.find((each) => each.workload === workload && each.library === library)?.seconds;
    const cell = (value: number | undefined, text: (value: number) => string) =>
      value === undefined ? '–' : text(value);
    const own = at(ours);
    const ratio = (theirs: number | undefined) =>
      theirs === undefined || own === undefined ? undefined : theirs / own;
    return [
      workload,
      ...libraries.map((library) => cell(at(library), milliseconds)),
      ...others.map((library) => cell(ratio(at(library)), digits)),
    ];
  });
  return {
    title: 'Other libraries on the same GPU, in turns',
    note: noteOn(devices),
    head: [
      'workload',
      ...libraries.map((library) => `${library}, ms`),
      ...others.map((library) => `${library} ÷ gammabeta`),
    ],
    rows,
    words: 1,
  };
}

/** A line for each result that a report has and an earlier one had not. */
export function resultsSince(before: HostReport, report: HostReport): string[] {
  const newOf = <T>(list: (from: HostReport) => readonly T[]): readonly T[] =>
    list(report).slice(list(before).length);
  const launch = ({ device, kernel, size, seconds, gigaflops }: LaunchTiming) =>
    `${kernel} ${size}, ${device}: ${milliseconds(seconds)} ms, ${digits(gigaflops)} GFLOP/s`;
  return [
    ...newOf(({ products }) => products).map((each) => `${each.form}: ${launch(each)}`),
    ...newOf(({ calls }) => calls).map(
      ({ net, batch, launches, submits }) =>
        `${net} ${batch}: ${launches} launches, ${submits} submits a step`,
    ),
    ...newOf(({ steps }) => steps).map(
      ({ net, batch, device, seconds }) => `step ${net} ${batch}, ${device}: ${milliseconds(seconds)} ms`,
    ),
    ...newOf(({ reading }) => reading).map(
      ({ net, batch, device, each, seldom }) =>
        `reading ${net} ${batch}, ${device}: ${milliseconds(each.seconds)} ms each step, ${milliseconds(seldom.seconds)} ms every 16th`,
    ),
    ...newOf(({ peers = [] }) => peers).map(
      ({ workload, library, seconds }) => `${workload}, ${library}: ${milliseconds(seconds)} ms`,
    ),
    ...newOf(({ kernels }) => kernels).map(launch),
    ...newOf(({ refused }) => refused).map((line) => `not timed: ${line}`),
  ];
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
