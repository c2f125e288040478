/** Executes the runs that are not saved yet, several in parallel. */
import { join } from 'node:path';
import workerpool from 'workerpool';
import type { Claim, Effort, LabData, Outcome, Run, Setting } from './claim.ts';
import type { Store } from './store.ts';

export interface RunnerOptions {
  readonly effort: Effort;
  /** The number of runs in parallel. */
  readonly jobs: number;
  readonly data: LabData;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Called for each completed run. */
  readonly onRun: (claim: Claim) => void;
}

/** The program of the worker threads. In the package it is bundled, in the folder of this file's bundle. */
const program = import.meta.filename.endsWith('.ts') ? 'worker-from-source.js' : 'worker.js';

/** The runs of each claim, in the order of its settings. Runs in the store are not repeated. */
export async function runClaims(
  claims: readonly Claim[],
  options: RunnerOptions,
): Promise<Map<Claim, Run<Setting, Outcome>[]>> {
  const { effort, jobs, data, store, signal, onRun } = options;
  const pool = workerpool.pool(join(import.meta.dirname, program), {
    workerType: 'thread',
    maxWorkers: jobs,
    workerThreadOpts: { workerData: data },
  });
  const runOf = async (claim: Claim, setting: Setting): Promise<Run<Setting, Outcome>> => {
    let outcome = await store.find(claim.name, setting);
    if (outcome === null) {
      signal.throwIfAborted();
      outcome = (await pool.exec('run', [claim.name, setting])) as Outcome;
      await store.keep(claim.name, setting, outcome);
    }
    onRun(claim);
    return { setting, outcome };
  };
  const stop = () => void pool.terminate(true);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const together = claims.filter(({ alone }) => alone !== true);
    const made = new Map(
      await Promise.all(
        together.map(
          async (claim) =>
            [
              claim,
              await Promise.all(claim.settings(effort).map((setting) => runOf(claim, setting))),
            ] as const,
        ),
      ),
    );
    for (const claim of claims.filter(({ alone }) => alone === true)) {
      const runs: Run<Setting, Outcome>[] = [];
      for (const setting of claim.settings(effort)) runs.push(await runOf(claim, setting));
      made.set(claim, runs);
    }
    return made;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', stop);
    await pool.terminate(true);
  }
}
