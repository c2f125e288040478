/** Runs each contender in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContenderProcess } from './contender-process.ts';
import { type ContenderName, launchOf, newerThanBuilt, type Running } from './contenders.ts';
import { type Entrant, measure, messageOf, type OnProblem } from './measure.ts';
import type { Participating, Place } from './place.ts';
import { type Participant, type Run, withSession } from './session.ts';

export type Contender = Participant & Participating;

export interface Processes extends Place {
  readonly contenders: readonly Contender[];
  readonly run: Run;
}

/**
 * Starts each contender once, to see which are installed. Each workload has fresh processes, so that code optimized for
 * other workloads has no effect on it.
 */
export async function openProcesses(
  names: readonly ContenderName[],
  running: Running,
  onProblem: OnProblem,
  signal: AbortSignal | undefined,
): Promise<Processes> {
  const contenders = await lineUp(names, running, onProblem);
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-peers-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  signal?.addEventListener('abort', remove); // at once, because a second Ctrl-C ends the process
  const run: Run = { folder, onProblem, ...(signal && { signal }) };
  return {
    contenders,
    run,
    measure: async (workload, protocol) => {
      const prepared = await workload.prepare();
      const runHere = { ...run, onProblem: (line: string) => onProblem(`${workload.name}: ${line}`) };
      return withSession(contenders, prepared, runHere, (session) => {
        const entrants = [...session].map(([name, process]): [ContenderName, Entrant] => [
          name,
          {
            verify: () => process.verify(join(folder, name)),
            time: (iterations) => process.time(iterations),
          },
        ]);
        return measure(new Map(entrants), workload, prepared, protocol, runHere.onProblem);
      });
    },
    close: () => {
      remove();
      return Promise.resolve();
    },
  };
}

/** Returns the contenders that are installed. */
async function lineUp(
  names: readonly ContenderName[],
  running: Running,
  onProblem: OnProblem,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const name of names) {
    try {
      const launch = launchOf(name, running);
      const process = new ContenderProcess(name, launch);
      const { warning, ...description } = await process.describe().finally(() => process.close());
      contenders.push({ name, launch, ...description });
      if (typeof warning === 'string') onProblem(warning);
    } catch (error) {
      onProblem(messageOf(error));
    }
  }
  const newer = contenders.some(({ name }) => name === 'gammabeta') ? newerThanBuilt() : undefined;
  if (newer !== undefined) {
    onProblem(`gammabeta: dist is timed, but ${newer} is newer than dist. Hint: npm run build`);
  }
  return contenders;
}
