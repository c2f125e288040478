/** The script of the page in which `chromium.ts` runs the contenders. */
import type { Task, Workloads } from './contenders/gammabeta-workloads.js';
import { timed } from './contenders/timed.js';
import type { ContenderName } from './contenders.ts';
import { type Entrant, measure, messageOf } from './measure.ts';
import type { Timing } from './peers-report.ts';
import type { Participating } from './place.ts';
import type { Protocol } from './rounds.ts';
import { type Workload, workloads } from './workloads.ts';

/** A library that has been opened in the page. */
export interface PageContender {
  readonly version: string;
  readonly backend: string;
  /** The number of threads that compute. */
  readonly threads: number;
  readonly workloads: Workloads;
}

/** What the script of a contender exports. */
export interface PageModule {
  /** Opens the library with the given number of threads, or with fewer if it cannot start all of them. */
  open(threads: number): Promise<PageContender>;
}

export interface PageTask {
  /** The name of the workload. */
  readonly workload: string;
  /** The contenders as they have described themselves. */
  readonly contenders: readonly Participating[];
  /** The requested number of threads. */
  readonly threads: number;
  readonly protocol: Protocol;
}

export interface TimedInPage {
  readonly timings: readonly Timing[];
  readonly problems: readonly string[];
}

/** Milliseconds before each block, in which the workers of the other libraries stop spinning and go to sleep. */
const PAUSE = 20;

async function open(name: ContenderName, threads: number): Promise<PageContender> {
  const module = (await import(`/${name}.js`)) as PageModule;
  return module.open(threads);
}

async function describe({
  name,
  threads: wanted,
}: {
  readonly name: ContenderName;
  readonly threads: number;
}): Promise<Participating> {
  const { version, backend, threads } = await open(name, wanted);
  return { name, version, backend, threads };
}

async function measureWorkload(task: PageTask): Promise<TimedInPage> {
  const problems: string[] = [];
  const onProblem = (line: string) => problems.push(line);
  const workload = workloadNamed(task.workload);
  const prepared = await workload.prepare();
  const entrants = new Map<ContenderName, Entrant>();
  for (const { name, threads } of task.contenders) {
    try {
      const contender = await open(name, task.threads);
      if (contender.threads !== threads) throw new Error(`has ${contender.threads} threads, not ${threads}`);
      const { [prepared.request.kind]: prepare } = contender.workloads;
      entrants.set(name, entrantOf(await prepare(prepared.request, prepared.inputs)));
    } catch (error) {
      onProblem(`${name}: ${messageOf(error)}`);
    }
  }
  const timings = await measure(entrants, workload, prepared, task.protocol, onProblem);
  return { timings, problems };
}

function entrantOf(task: Task): Entrant {
  const time = async (iterations: number) => {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    return timed(task, iterations);
  };
  return { verify: () => task.verify(), time };
}

function workloadNamed(name: string): Workload {
  const workload = workloads.find((each) => each.name === name);
  if (workload === undefined) throw new Error(`unknown workload: ${name}`);
  return workload;
}

Object.assign(globalThis, { describe, measureWorkload });
