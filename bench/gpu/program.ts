/** The GPU benchmarks, which run both in a page and in Node. */
import { DeviceError, type DeviceInfo, deviceInfo, useDevice } from '../../src/index.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { currentDevice } from '../../src/tensor/device/current.ts';
import { labelOf } from '../validate.ts';
import { gpuSubjects, squareProducts } from './gpu-subjects.ts';
import { countCalls } from './calls.ts';
import { timeLaunches } from './launches.ts';
import { type GpuName, type GpuOptions, leaves } from './options.ts';
import { emptyReport, type HostReport, type NetAndBatch, type PassedOverGpu } from './gpu-report.ts';
import { type OpenPeer, peerWorkloads, timePeers } from './peers.ts';
import { handlingCases, stepCases, timeReading, timeSteps } from './gpu-steps.ts';

/** Called with the results so far and the line of the next measurement, which is null at the end. */
export type Tell = (report: HostReport, next: string | null) => Promise<void> | void;

type GpuInfo = DeviceInfo & { readonly device: GpuName };

/** @param openPeer Opens another library, in a page. */
export async function runBenchmarks(
  options: GpuOptions,
  host: string,
  tell: Tell,
  openPeer?: OpenPeer,
): Promise<HostReport> {
  const { opened, passedOver } = await openGpus(options);
  let report: HostReport = { ...emptyReport(host), devices: opened, passedOver };
  const end = performance.now() + 1000 * options.seconds;
  /**
   * Runs a measurement if the filter selects it and there is time. An error is added to `refused`, and the others
   * continue.
   */
  const measure = async (line: string, device: GpuName | null, work: () => Promise<Partial<HostReport>>) => {
    if (!leaves(options.filter, line) || lost.has(device)) return;
    const whole = device === null ? line : `${line}, ${device}`;
    if (performance.now() > end) {
      report = { ...report, left: [...report.left, whole] };
      return;
    }
    await tell(report, whole);
    try {
      report = { ...report, ...(await work()) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      report = {
        ...report,
        refused: [...report.refused, device === null ? message : `${device}: ${message}`],
      };
      if (await wentAway(device)) lost.add(device);
    }
  };
  const lost = new Set<GpuName | null>();

  // What a cut would hurt most comes first.
  for (const { device: name, software = false } of opened) {
    if (name !== 'webgpu') continue;
    for (const subject of squareProducts({ software, quick: options.quick })) {
      for (const form of ['tiled', 'gpu.js'] as const) {
        await measure(`${labelOf(subject)} ${form}`, name, async () => {
          await useDevice(name, { products: form });
          const timing = await timeLaunches(subject, currentGpu(), options.quick || software);
          const teraflops = timing.gigaflops / 1000;
          return { products: [...report.products, { ...timing, form, teraflops }] };
        });
      }
    }
    await useDevice(name);
    for (const each of countCases) {
      await measure(lineOf('calls', each), name, async () => ({
        calls: [...report.calls, await countCalls(each)],
      }));
    }
  }
  if (opened.length > 0) {
    const names = opened.map(({ device }) => device);
    const software = opened.some((info) => info.software);
    for (const each of stepCases({ software, quick: options.quick })) {
      await measure(lineOf('step', each), null, async () => {
        const timings = await timeSteps(each, names, options.quick || software);
        return { steps: [...report.steps, ...timings], devices: await infoOf(names) };
      });
    }
  }
  const { peers = [] } = options;
  for (const { device: name, software = false } of opened) {
    if (name !== 'webgpu' || openPeer === undefined || peers.length === 0) continue;
    const quick = options.quick || software;
    for (const workload of peerWorkloads({ software, quick: options.quick })) {
      await measure(`peers ${workload.name}`, name, async () => {
        const refused: string[] = [];
        const timings = await timePeers(workload, peers, openPeer, quick, (line) => refused.push(line));
        return {
          peers: [...(report.peers ?? []), ...timings],
          refused: [...report.refused, ...refused],
        };
      });
    }
  }
  for (const { device: name, software = false } of opened) {
    const { quick } = options;
    for (const each of handlingCases({ software, quick })) {
      await measure(lineOf('reading', each), name, async () => {
        const timing = await timeReading(each, name, quick);
        return { reading: [...report.reading, timing] };
      });
    }
  }
  for (const { device: name, software = false } of opened) {
    const quick = options.quick || software;
    for (const subject of gpuSubjects({ software, quick: options.quick })) {
      await measure(labelOf(subject), name, async () => {
        const timing = await timeLaunches(subject, await useGpu(name), quick);
        return { kernels: [...report.kernels, timing] };
      });
    }
  }
  await tell(report, null);
  return report;
}

/** All lines that a filter can select. */
export function allLines(quick: boolean): string[] {
  return [true, false].flatMap((software) => [
    ...gpuSubjects({ software, quick }).map(labelOf),
    ...stepCases({ software, quick }).map((each) => lineOf('step', each)),
    ...handlingCases({ software, quick }).map((each) => lineOf('reading', each)),
    ...squareProducts({ software, quick }).flatMap((each) => [
      `${labelOf(each)} tiled`,
      `${labelOf(each)} gpu.js`,
    ]),
    ...countCases.map((each) => lineOf('calls', each)),
    ...peerWorkloads({ software, quick }).map(({ name }) => `peers ${name}`),
  ]);
}

/** The steps whose calls are counted: a count does not depend on the batch, except that large sums take two launches. */
const countCases: readonly NetAndBatch[] = (['plain', 'bn', 'ln'] as const).map((net) => ({
  net,
  batch: 32,
}));

function lineOf(what: 'step' | 'reading' | 'calls', { net, batch }: NetAndBatch): string {
  return `${what} ${net} ${batch}`;
}

async function openGpus({
  devices,
  software,
}: GpuOptions): Promise<{ opened: GpuInfo[]; passedOver: PassedOverGpu[] }> {
  const opened: GpuInfo[] = [];
  const passedOver: PassedOverGpu[] = [];
  for (const device of devices) {
    try {
      await useDevice(device);
      const info = { ...deviceInfo(), device };
      if (info.software !== true || software) opened.push(info);
      else passedOver.push({ device, reason: `its GPU is software: ${info.adapter}` });
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      passedOver.push({ device, reason: `${error.problem}. Hint: ${error.hint}` });
    }
  }
  return { opened, passedOver };
}

type GpuDevice = Device & { readonly name: GpuName };

async function useGpu(name: GpuName): Promise<GpuDevice> {
  await useDevice(name);
  return currentGpu();
}

function currentGpu(): GpuDevice {
  return currentDevice() as GpuDevice;
}

/** The GPUs with what they have measured so far. */
async function infoOf(names: readonly GpuName[]): Promise<GpuInfo[]> {
  const infos: GpuInfo[] = [];
  for (const device of names) infos.push({ ...(await useDevice(device)), device });
  return infos;
}

/** Whether a device is lost and cannot be opened again. */
async function wentAway(name: GpuName | null): Promise<boolean> {
  if (name === null) return false;
  try {
    await useDevice(name);
    return false;
  } catch {
    return true;
  }
}
