/** The comparison: who is there, each workload in turns, then the experiment. */
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
  /** Short blocks, few rounds: a look, not a measurement. */
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly only?: readonly ContenderName[];
  /** Only workloads that have this in their name. */
  readonly filter?: string;
  /** Where to write the report; again after each workload. */
  readonly json?: string;
  /** gammabeta's device; else the one that a program begins with. */
  readonly device?: string;
  /** Run the experiment too, as `experiment plain` and `experiment bn`. */
  readonly experiment?: ExperimentOptions;
  readonly signal?: AbortSignal;
}

/**
 * Compares, prints, and returns what it printed. Who is missing or wrong is left out, with a line that says so.
 * @throws {GammaBetaError} The filter leaves nothing, or the report cannot be written. @throws {DataError} MNIST is not
 * there. @throws The signal's reason, once it is aborted.
 */
export async function comparePeers(options: ComparePeersOptions = {}): Promise<PeersReport> {
  const { quick = false, only = contenderNames, json, device, experiment, signal } = options;
  const protocol = protocolOf(quick, options.rounds);
  const { chosen, nets } = selected(options);
  const machine = describeMachine(); // before the load is our own
  const problems: string[] = [];
  const onProblem = (line: string): void => {
    signal?.throwIfAborted(); // else whom Ctrl-C ended would be a problem
    progress('');
    problems.push(line);
    console.error(line);
  };
  const contenders = await lineUp(only, device, onProblem);
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
    contenders: contenders.map(({ launch: _, ...description }) => description),
    timings,
    experiment: runs,
    problems,
  };
  const save = () => (json === undefined ? Promise.resolve() : write(json, report));
  await save(); // whatever is wrong with the file or the images is found out before, not after
  const images = experiment === undefined || nets.length === 0 ? null : await loadImages(experiment);
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-peers-'));
  const run = { folder, onProblem, ...(signal && { signal }) };
  signal?.addEventListener('abort', () => rmSync(folder, { recursive: true, force: true })); // a second Ctrl-C ends at once
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
  const hint = experiment === undefined ? 'leave it out, or pass --experiment' : 'leave it out to see all';
  throw new GammaBetaError('--filter', `no workload has it in its name: '${filter}'`, hint);
}
