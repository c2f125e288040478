/** Compares gammabeta with its peers: finds the contenders, times each workload, then runs the experiment. */
import { GammaBetaError } from '../../src/index.ts';
import { progress } from '../command-line.ts';
import { describeMachine } from '../machine.ts';
import { writeJson } from '../write-json.ts';
import { openChromium, pageScripts, pageScriptsOf } from './chromium.ts';
import { type ContenderName, contenderNames, nodeFlags } from './contenders.ts';
import {
  experimentNets,
  type ExperimentOptions,
  type ExperimentRun,
  loadImages,
  runExperiment,
} from './experiment.ts';
import { messageOf, type OnProblem, protocolOf } from './measure.ts';
import { experimentTable, header, type PeersReport, type Timing, timingTable } from './peers-report.ts';
import type { Place } from './place.ts';
import { openProcesses, type Processes } from './processes.ts';
import { type Workload, workloads } from './workloads.ts';

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
  /** Threads of gammabeta and of PyTorch's products; in Chromium, of each library. Default 1. */
  readonly threads?: number;
  /** Also run the experiment, as `experiment plain` and `experiment bn`. */
  readonly experiment?: ExperimentOptions;
  /** Run all contenders in one page of headless Chromium, where the JavaScript libraries have threads. */
  readonly chromium?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Compares, prints, and returns the report. A contender that is missing, fails or computes something else is left out,
 * with a line that says why.
 *
 * @throws {GammaBetaError} An option is wrong, the report cannot be written, or there is no Chromium.
 * @throws {DataError} MNIST cannot be loaded.
 * @throws The signal's reason, once it is aborted.
 */
export async function comparePeers(options: ComparePeersOptions = {}): Promise<PeersReport> {
  const { quick = false, json, experiment, signal } = options;
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
  const { place, processes } = await open(options, onProblem);
  try {
    const { browser, contenders } = place;
    const introduced = {
      machine,
      ...(browser !== undefined && { browser }),
      contenders: contenders.map(({ name, version, backend, threads }) => ({
        name,
        version,
        backend,
        threads,
      })),
    };
    console.log(header(introduced));
    const timings: Timing[] = [];
    const runs: ExperimentRun[] = [];
    const report: PeersReport = {
      benchmark: 'gammabeta peers',
      date: new Date().toISOString(),
      quick,
      rounds: protocol.rounds,
      nodeFlags,
      ...introduced,
      timings,
      experiment: runs,
      problems,
    };
    const save = () => (json === undefined ? Promise.resolve() : write(json, report));
    await save(); // finds errors of the file and the images before the timing
    const images = experiment === undefined || nets.length === 0 ? null : await loadImages(experiment);
    for (const workload of chosen) {
      signal?.throwIfAborted();
      progress(workload.name);
      timings.push(...(await place.measure(workload, protocol)));
      await save();
    }
    progress('');
    if (timings.length > 0) console.log(timingTable(timings, protocol.rounds));
    for (const net of nets) {
      signal?.throwIfAborted();
      if (experiment === undefined || images === null || processes === null) break;
      const { contenders: entered, run } = processes;
      runs.push(...(await runExperiment(net, entered, images, experiment.epochs, run)));
      await save();
    }
    if (runs.length > 0) console.log(experimentTable(runs));
    return report;
  } finally {
    await place.close();
  }
}

/** Opens the contenders in processes or, with `chromium`, in a page. */
async function open(
  { chromium = false, only, device, threads, signal }: ComparePeersOptions,
  onProblem: OnProblem,
): Promise<{ readonly place: Place; readonly processes: Processes | null }> {
  if (chromium) {
    const scripts = only === undefined ? pageScripts : pageScriptsOf(only);
    return { place: await openChromium(scripts, threads ?? 1, onProblem, signal), processes: null };
  }
  const processes = await openProcesses(only ?? contenderNames, { device, threads }, onProblem, signal);
  return { place: processes, processes };
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

/** @throws {GammaBetaError} The filter selects nothing, or options contradict each other. */
function selected({ filter = '', experiment, chromium = false, quick = false, device }: ComparePeersOptions) {
  if (chromium && (experiment !== undefined || device !== undefined)) {
    const option = experiment === undefined ? '--device' : '--experiment';
    throw new GammaBetaError('--chromium', `does not go with ${option}`, 'leave out one of the two');
  }
  const here = chromium ? workloads.filter((workload) => isTimedInChromium(workload, quick)) : workloads;
  const chosen = here.filter(({ name }) => name.includes(filter));
  const nets = experimentNets.filter(
    (net) => experiment !== undefined && `experiment ${net}`.includes(filter),
  );
  if (chosen.length + nets.length > 0) return { chosen, nets };
  const problem = `no workload${chromium ? ' in Chromium' : ''} has '${filter}' in its name`;
  const hint =
    experiment === undefined && !chromium
      ? 'leave it out, or pass --experiment'
      : 'leave it out to run everything';
  throw new GammaBetaError('--filter', problem, hint);
}

/** Fewer workloads than in Node, so that a run takes less than four minutes. */
function isTimedInChromium({ name }: Workload, quick: boolean): boolean {
  return (
    /^(?:step \w+ \d+ digits|batchnorm 64x512|matmul 512)$/.test(name) && !(quick && /1024|256/.test(name))
  );
}
