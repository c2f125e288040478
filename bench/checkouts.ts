/** Times the training step of this checkout against that of another checkout, in alternating runs. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { GammaBetaError } from '../src/index.ts';
import { progress } from './command-line.ts';
import { timeFirstResults } from './first-result.ts';
import { milliseconds } from './format.ts';
import { describeMachine, type Machine, machineText } from './machine.ts';
import type { Results } from './peers/agreement.ts';
import { ContenderProcess } from './peers/contender-process.ts';
import { launchOfEntry } from './peers/contenders.ts';
import { protocolOf } from './peers/measure.ts';
import { takeTurns } from './peers/rounds.ts';
import { type Participant, withSession } from './peers/session.ts';
import { type Workload, workloads } from './peers/workloads.ts';
import { pairedRatios, type Summary, summarize } from './statistics.ts';
import { tableOf } from './tables.ts';
import { writeJson } from './write-json.ts';

type Side = 'this' | 'other';

/** This checkout first. */
const sides: readonly Side[] = ['this', 'other'];

export interface CheckoutOptions {
  /** The folder of the other checkout. */
  readonly against: string;
  /** Only workloads that have this in their name. */
  readonly filter: string;
  readonly quick: boolean;
  readonly device: string;
  /** How many pairs of fresh processes time each step; 5 by default, 1 if quick. */
  readonly pairs?: number;
  readonly json?: string;
}

/** What `--json` writes. */
export interface CheckoutReport {
  readonly benchmark: 'gammabeta checkouts';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** The device of each checkout, with the build of its kernels. */
  readonly backends: Readonly<Record<Side, string>>;
  readonly steps: readonly CheckoutTiming[];
  /** Null if a checkout is not built. */
  readonly firstResult: Compared | null;
}

/** Seconds of both checkouts, measured in turns. */
interface Compared {
  readonly this: Summary;
  readonly other: Summary;
  /** The time of this checkout divided by that of the other one, round by round. */
  readonly ratio: Summary;
  readonly ratios: readonly number[];
}

export interface CheckoutTiming extends Compared {
  readonly workload: string;
  /** The first value that differs in any bit after eight steps; null if all losses and weights are identical. */
  readonly difference: string | null;
}

/**
 * Compares, prints, and writes.
 *
 * @throws {GammaBetaError} An option is wrong, or a checkout fails. @throws The signal's reason, once it is aborted.
 */
export async function compareCheckouts(options: CheckoutOptions, signal: AbortSignal): Promise<void> {
  const { against, quick, device, json } = options;
  const machine = describeMachine(); // before this command adds to the load
  const roots = { this: join(import.meta.dirname, '..'), other: resolve(against) };
  const chosen = workloads.filter(
    ({ name }) => /^step \w+ (32|256) /.test(name) && name.includes(options.filter),
  );
  if (chosen.length === 0) {
    throw new GammaBetaError('--filter', `no step has '${options.filter}' in its name`, 'leave it out');
  }
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-checkouts-'));
  try {
    const participants: Participant<Side>[] = [];
    for (const name of sides) {
      const entry = await bundle(name, roots[name], folder);
      participants.push({ name, launch: launchOfEntry(pathToFileURL(entry).href, { device }) });
    }
    const backends = { this: await backendOf(participants[0]), other: await backendOf(participants[1]) };
    console.log(`machine  ${machineText(machine)}\nthis     ${backends.this}\nother    ${backends.other}`);
    const steps: CheckoutTiming[] = [];
    for (const workload of chosen) {
      progress(workload.name);
      steps.push(await compare(workload, participants, options, folder, signal));
    }
    progress('first result');
    const starts = timeFirstResults([roots.this, roots.other], quick ? 3 : 15, signal);
    const firstResult = starts === null ? null : compared({ this: starts[0], other: starts[1] });
    progress('');
    console.log(tableText(steps, firstResult));
    if (firstResult === null) {
      console.log('first result: not timed. Hint: npm run build in both checkouts.');
    }
    const [date, benchmark] = [new Date().toISOString(), 'gammabeta checkouts' as const];
    const report: CheckoutReport = { benchmark, date, quick, machine, backends, steps, firstResult };
    if (json !== undefined) await writeJson(json, report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Bundles the library of a checkout into one module, so that neither checkout has to be built and no transpiler runs
 * while it is timed. All that is used of a checkout is `src/index.ts`: the rest of its layout may differ.
 */
async function bundle(name: Side, root: string, folder: string): Promise<string> {
  const entry = join(root, 'src/index.ts');
  if (!existsSync(entry)) {
    throw new GammaBetaError('--against', `${root} has no src/index.ts`, 'name the folder of a checkout');
  }
  const outfile = join(folder, `${name}.mjs`);
  try {
    const external = ['gpu.js', 'webgpu']; // loaded only for GPUs
    const shared = { bundle: true, platform: 'node', format: 'esm', external, logLevel: 'silent' } as const;
    await build({ ...shared, entryPoints: [entry], outfile });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GammaBetaError('--against', `cannot bundle ${entry}: ${reason}`, 'npm run build:kernels there');
  }
  return outfile;
}

async function backendOf({ name, launch }: Participant<Side>): Promise<string> {
  const process = new ContenderProcess(name, launch);
  const { backend } = await process.describe().finally(() => process.close());
  return backend;
}

/** Fresh processes for each pair, because two processes that run the same code differ by a percent or two. */
async function compare(
  workload: Workload,
  participants: readonly Participant<Side>[],
  { quick, pairs = quick ? 1 : 5 }: CheckoutOptions,
  folder: string,
  signal: AbortSignal,
): Promise<CheckoutTiming> {
  const onProblem = (line: string): never => {
    signal.throwIfAborted();
    throw new GammaBetaError(workload.name, line, 'both checkouts have to run it');
  };
  const run = { folder, onProblem, signal };
  const prepared = await workload.prepare();
  const protocol = protocolOf(quick, quick ? 3 : 5);
  const seconds: Record<Side, number[]> = { this: [], other: [] };
  let difference: string | null = null;
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? participants : participants.toReversed();
    await withSession(order, prepared, run, async (session) => {
      const verified: Results[] = [];
      for (const [name, process] of session) verified.push(await process.verify(join(folder, name)));
      difference ??= firstDifference(verified[0], verified[1]);
      const blocks = [...session].map(([name, process]) => [name, (n: number) => process.time(n)] as const);
      const times = await takeTurns(new Map(blocks), protocol, (_, error) => onProblem(String(error)));
      for (const [name, measured] of times) seconds[name].push(...measured.seconds);
    });
  }
  return { workload: workload.name, ...compared(seconds), difference };
}

/** The name of the first loss or tensor whose bits differ. */
function firstDifference(a: Results, b: Results): string | null {
  const [losses, others] = [a.losses ?? [], b.losses ?? []];
  const step = losses.findIndex((loss, k) => !Object.is(loss, others[k]));
  if (step >= 0) return `loss ${step + 1}`;
  const names = Object.keys(a.tensors);
  return (
    names.find((name) => {
      const [found, expected] = [a.tensors[name].data, b.tensors[name].data];
      return found.length !== expected.length || found.some((value, k) => !Object.is(value, expected[k]));
    }) ?? null
  );
}

function compared(seconds: Readonly<Record<Side, readonly number[]>>): Compared {
  const ratios = pairedRatios(seconds.this, seconds.other);
  return {
    this: summarize(seconds.this),
    other: summarize(seconds.other),
    ratio: summarize(ratios),
    ratios,
  };
}

function tableText(steps: readonly CheckoutTiming[], firstResult: Compared | null): string {
  const row = (name: string, each: Compared, bits: string) => [
    name,
    milliseconds(each.this.median),
    milliseconds(each.other.median),
    each.ratio.median.toFixed(3),
    each.ratio.quartiles.map((ratio) => ratio.toFixed(3)).join(' … '),
    bits,
  ];
  const rows = steps.map((step) =>
    row(step.workload, step, step.difference === null ? 'identical' : `${step.difference} differs`),
  );
  if (firstResult !== null) rows.push(row('first result', firstResult, ''));
  return tableOf(['median of', 'this, ms', 'other, ms', 'this ÷ other', 'middle half', 'bits'], rows, 1);
}
