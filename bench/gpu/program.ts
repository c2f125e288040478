/** The GPU benchmarks, which run both in a page and in Node. */
import { DeviceError, type DeviceInfo, deviceInfo, useDevice } from '../../src/index.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { currentDevice } from '../../src/tensor/device/current.ts';
import { labelOf } from '../validate.ts';
import { gpuSubjects } from './gpu-subjects.ts';
import { timeLaunches } from './launches.ts';
import { type GpuName, type GpuOptions, leaves } from './options.ts';
import { emptyReport, type HostReport, type NetAndBatch, type PassedOverGpu } from './gpu-report.ts';
import { handlingCases, stepCases, timeReading, timeSteps } from './gpu-steps.ts';
import { timeSubmits } from './submits.ts';

/** Called with the results so far and the line of the next measurement, which is null at the end. */
export type Tell = (report: HostReport, next: string | null) => Promise<void> | void;

type GpuInfo = DeviceInfo & { readonly device: GpuName };

export async function runBenchmarks(options: GpuOptions, host: string, tell: Tell): Promise<HostReport> {
  const { opened, passedOver } = await openGpus(options);
  let report: HostReport = { ...emptyReport(host), devices: opened, passedOver };
  /** Runs a measurement if the filter selects it. An error is added to `refused`, and the others continue. */
  const measure = async (line: string, device: GpuName | null, work: () => Promise<Partial<HostReport>>) => {
    if (!leaves(options.filter, line) || lost.has(device)) return;
    await tell(report, device === null ? line : `${line}, ${device}`);
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

  for (const { device: name, software = false } of opened) {
    const quick = options.quick || software;
    for (const subject of gpuSubjects({ software, quick: options.quick })) {
      await measure(labelOf(subject), name, async () => {
        const timing = await timeLaunches(subject, await useGpu(name), quick);
        return { kernels: [...report.kernels, timing] };
      });
    }
  }
  if (opened.length > 0) {
    const names = opened.map(({ device }) => device);
    const software = opened.some((info) => info.software);
    for (const each of stepCases({ software, quick: options.quick })) {
      await measure(lineOf('step', each), null, async () => {
        const timings = await timeSteps(each, names, options.quick || software);
        return { steps: [...report.steps, ...timings] };
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
      if (name !== 'webgpu') continue;
      await measure(lineOf('submits', each), name, async () => {
        const timings = await timeSubmits(each, quick);
        return { submits: [...report.submits, ...timings] };
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
    ...handlingCases({ software, quick }).flatMap((each) => [
      lineOf('reading', each),
      lineOf('submits', each),
    ]),
  ]);
}

function lineOf(what: 'step' | 'reading' | 'submits', { net, batch }: NetAndBatch): string {
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

async function useGpu(name: GpuName): Promise<Device & { readonly name: GpuName }> {
  await useDevice(name);
  return currentDevice() as Device & { readonly name: GpuName };
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
