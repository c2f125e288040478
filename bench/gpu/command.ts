/** Runs the GPU benchmarks in Chromium and in Node; prints and writes the results. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GammaBetaError } from '../../src/index.ts';
import { chromiumPath } from '../chromium.ts';
import { progress } from '../command-line.ts';
import { describeMachine, machineText } from '../machine.ts';
import { tableOf } from '../tables.ts';
import { writeJson } from '../write-json.ts';
import { measureInChromium } from './chromium.ts';
import { measureInNode } from './node.ts';
import { type GpuName, gpuNames, type GpuOptions, leaves } from './options.ts';
import { allLines } from './program.ts';
import type { CudaReport } from '../results.ts';
import { measureInPyTorch } from './pytorch.ts';
import { emptyReport, type GpuReport, type HostReport } from './gpu-report.ts';
import { installedPeers, serve } from './server.ts';
import { introduction, resultsSince, tablesOf } from './gpu-tables.ts';

export interface CommandOptions extends Pick<GpuOptions, 'filter' | 'quick' | 'software' | 'seconds'> {
  readonly device?: GpuName;
  readonly json?: string;
  readonly serve: boolean;
  readonly port: string;
}

/** @throws {GammaBetaError} An option is wrong. @throws The signal's reason, once it is aborted. */
export async function runGpuBenchmarks(options: CommandOptions, signal: AbortSignal): Promise<void> {
  const { json, quick, filter } = options;
  if (![...allLines(quick), 'pytorch'].some((line) => leaves(filter, line))) {
    throw new GammaBetaError('--filter', `no line contains '${filter}'`, 'leave it out to run everything');
  }
  if (json !== undefined) await mkdir(dirname(json), { recursive: true }); // fails now instead of at the end
  const introduced = {
    benchmark: 'gammabeta-gpu',
    date: new Date().toISOString(),
    quick,
    machine: describeMachine(),
  } as const;
  const save = async (hosts: readonly HostReport[], pytorch?: CudaReport): Promise<void> => {
    const report: GpuReport = { ...introduced, hosts, ...(pytorch && { pytorch }) };
    if (json !== undefined) await writeJson(json, report);
  };
  console.log(`machine  ${machineText(introduced.machine)}`);
  if (options.serve) {
    await serveByHand(options, save, signal);
    return;
  }
  const hosts = await measureEverywhere(options, save, signal);
  await save(hosts);
  const isHardware = hosts.some(({ devices }) => devices.some(({ software }) => software === false));
  if (!isHardware || !leaves(filter, 'pytorch')) return;
  const pytorch = await measureInPyTorch(quick, signal);
  if (pytorch !== null) await save(hosts, pytorch);
}

/** Measures in Chromium and in Node. If one cannot run, a line says why, and the other still runs. */
async function measureEverywhere(
  options: CommandOptions,
  save: (hosts: readonly HostReport[]) => Promise<void>,
  signal: AbortSignal,
): Promise<HostReport[]> {
  const hosts: HostReport[] = [];
  let saving: Promise<void> = Promise.resolve();
  let printed = emptyReport('');
  /** Prints each result as it comes, and saves all results so far: a run may be cut off. */
  const next = (line: string, soFar: HostReport): void => {
    for (const result of resultsSince(printed, soFar)) console.log(result);
    printed = soFar;
    progress(line);
    saving = saving.then(() => save([...hosts, soFar]));
  };
  const devices = options.device === undefined ? gpuNames : [options.device];
  const { filter, quick, seconds } = options;
  const asked = { devices, filter, quick, seconds, peers: installedPeers };
  if (installedPeers.length === 0) {
    console.log('jax-js and TensorFlow.js are not installed. Hint: npm ci --prefix bench/peers');
  }
  if (chromiumPath === undefined) {
    console.log(
      'no Chromium was found. Hint: apt-get install chromium, set CHROMIUM to its path, or pass --serve',
    );
  } else {
    const path = chromiumPath;
    const measure = (software: boolean) => measureInChromium(path, { ...asked, software }, next, signal);
    hosts.push(...(await measureIn('Chromium', measure, options.software, signal)));
  }
  if (devices.includes('webgpu')) {
    const measure = (software: boolean) =>
      measureInNode({ ...asked, devices: ['webgpu'], software }, next, signal);
    hosts.push(...(await measureIn('Node', measure, options.software, signal)));
  }
  await saving;
  return hosts;
}

/** Measures on a hardware GPU, or on a software GPU if there is no other. */
async function measureIn(
  host: string,
  measure: (software: boolean) => Promise<HostReport>,
  software: boolean,
  signal: AbortSignal,
): Promise<HostReport[]> {
  try {
    const onHardware = software ? null : await measure(false);
    if (onHardware !== null && onHardware.devices.length > 0) return print(onHardware);
    if (onHardware !== null) print(onHardware);
    const onSoftware = await measure(true);
    if (onSoftware.devices.length === 0 && onHardware !== null) return [onHardware];
    if (onHardware !== null)
      console.log('There is no hardware GPU. The following results are from a software GPU.');
    return print(onSoftware);
  } catch (error) {
    signal.throwIfAborted();
    progress('');
    console.error(`${host} could not measure: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    return [];
  }
}

/** Serves the page to a browser that the user opens. Prints its address and the results until Ctrl-C. */
async function serveByHand(
  { filter, quick, device, port, seconds }: CommandOptions,
  save: (hosts: readonly HostReport[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const devices = device === undefined ? gpuNames : [device];
  const server = await serve(
    { devices, filter, quick, software: true, seconds, peers: installedPeers },
    (message) => {
      if ('line' in message) progress(message.line);
      else if ('failure' in message) console.error(message.failure);
      else {
        print(message.report);
        void save([message.report]);
      }
    },
    Number(port),
  );
  console.log(`Open ${server.address} in a browser. Press Ctrl-C to stop.`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  server.close();
}

/** Prints a report and returns it. */
function print(report: HostReport): HostReport[] {
  progress('');
  console.log(`\n${introduction(report).join('\n')}`);
  for (const { title, note, head, rows, words } of tablesOf(report)) {
    console.log(`\n${note === '' ? title : `${title} – ${note}`}\n${tableOf(head, rows, words)}`);
  }
  for (const line of report.refused) console.error(`not timed: ${line}`);
  if (report.left.length > 0) {
    console.log(
      `\nThe time was up before: ${report.left.join('; ')}. Hint: --seconds gives more time, --filter selects lines`,
    );
  }
  if (report.refused.length > 0) process.exitCode = 1;
  return [report];
}
