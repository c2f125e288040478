/** Compares gammabeta with its peers: finds the contenders, times each workload, then runs the experiment. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GammaBetaError } from '../../src/index.ts';
import { progress } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { writeJson } from '../write-json.ts';
import { type ContenderName, contenderNames, nodeFlags } from './contenders.ts';
import {
  experimentNets,
  type ExperimentOptions,
  type ExperimentRun,
  loadImages,
  runExperiment,
} from './experiment.ts';
import { measure, protocolOf } from './measure.ts';
import { experimentTable, header, type PeersReport, type Timing, timingTable } from './peers-report.ts';
import { lineUp, messageOf } from './session.ts';
import { workloads } from './workloads.ts';

export interface ComparePeersOptions {
  /** Short blocks and few rounds, for a rough look. */
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly only?: readonly ContenderName[];
  /** Only workloads whose name contains this. */
  readonly filter?: string;
  /** The file of the report, which is written again after each workload. */
  readonly json?: string;
  /** gammabeta's device; by default the one that every program starts with. */
  readonly device?: string;
  /** Threads of gammabeta and of PyTorch's products. Default 1. */
  readonly threads?: number;
  /** Also run the experiment, as `experiment plain` and `experiment bn`. */
  readonly experiment?: ExperimentOptions;
  readonly signal?: AbortSignal;
}

/**
 * Compares, prints, and returns the report. A contender that is missing, fails or computes something else is left out,
 * with a line that says why.
 *
 * @throws {GammaBetaError} The filter selects nothing, or the report cannot be written.
 * @throws {DataError} MNIST cannot be loaded.
 * @throws The signal's reason, once it is aborted.
 */
export async function comparePeers(options: ComparePeersOptions = {}): Promise<PeersReport> {
  const { quick = false, only = contenderNames, json, device, threads, experiment, signal } = options;
  const protocol = protocolOf(quick, options.rounds);
  const { chosen, nets } = selected(options);
  const machine = describeMachine(); // before this command adds to the load
  const problems: string[] = [];
  const onProblem = (line: string): void => {
    signal?.throwIfAborted(); // a contender that Ctrl-C ended is not a problem
    progress('');
    problems.push(line);
    console.error(line);
  };
  const contenders = await lineUp(only, { device, threads }, onProblem);
  console.log(header({ machine, contenders }));

  const timings: Timing[] = [];
  const runs: ExperimentRun[] = [];
  const report: PeersReport = {
    benchmark: 'gammabeta peers',
    date: new Date().toISOString(),
    quick,
    rounds: protocol.rounds,
    machine,
    nodeFlags,
    contenders: contenders.map(({ name, version, backend, threads }) => ({
      name,
      version,
      backend,
      threads,
    })),
    timings,
    experiment: runs,
    problems,
  };
  const save = () => (json === undefined ? Promise.resolve() : write(json, report));
  await save(); // finds errors of the file and the images before the timing
  const images = experiment === undefined || nets.length === 0 ? null : await loadImages(experiment);
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-peers-'));
  const run = { folder, onProblem, ...(signal && { signal }) };
  // At once, because a second Ctrl-C ends the process.
  signal?.addEventListener('abort', () => rmSync(folder, { recursive: true, force: true }));
  try {
    for (const workload of chosen) {
      signal?.throwIfAborted();
      progress(workload.name);
      timings.push(...(await measure(workload, contenders, protocol, run)));
      await save();
    }
    progress('');
    if (timings.length > 0) console.log(timingTable(timings, protocol.rounds));
    for (const net of nets) {
      signal?.throwIfAborted();
      if (experiment === undefined || images === null) break;
      runs.push(...(await runExperiment(net, contenders, images, experiment.epochs, run)));
      await save();
    }
    if (runs.length > 0) console.log(experimentTable(runs));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return report;
}

async function write(file: string, report: PeersReport): Promise<void> {
  try {
    await writeJson(file, report);
  } catch (error) {
    throw new GammaBetaError(
      '--json',
      `cannot write ${file}: ${messageOf(error)}`,
      'make the folder first, or name another file',
    );
  }
}

function selected({ filter = '', experiment }: ComparePeersOptions) {
  const chosen = workloads.filter(({ name }) => name.includes(filter));
  const nets = experimentNets.filter(
    (net) => experiment !== undefined && `experiment ${net}`.includes(filter),
  );
  if (chosen.length + nets.length > 0) return { chosen, nets };
  const hint =
    experiment === undefined ? 'leave it out, or pass --experiment' : 'leave it out to run everything';
  throw new GammaBetaError('--filter', `no workload has '${filter}' in its name`, hint);
}
