/** Prepares one workload, checks it, and times it in turns. */
import type { Timing } from './peers-report.ts';
import { type Protocol, takeTurns } from './rounds.ts';
import {
  type Contender,
  expectAgreement,
  messageOf,
  type OnProblem,
  type Run,
  withSession,
} from './session.ts';
import { pairedRatios, summarize } from '../statistics.ts';
import type { Workload } from './workloads.ts';

export function protocolOf(quick: boolean, rounds: number | undefined): Protocol {
  return quick
    ? { rounds: rounds ?? 3, blockSeconds: 0.05, warmupSeconds: 0.3 }
    : { rounds: rounds ?? 15, blockSeconds: 0.3, warmupSeconds: 1 };
}

/** Starts fresh processes, so that code optimized for other workloads has no effect on this one. */
export async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  protocol: Protocol,
  run: Run,
): Promise<Timing[]> {
  const onProblem: OnProblem = (line) => run.onProblem(`${workload.name}: ${line}`);
  const runHere = { ...run, onProblem };
  const prepared = await workload.prepare();
  return withSession(contenders, prepared, runHere, async (session) => {
    const checkedAgainst = await expectAgreement(session, workload, prepared, runHere);
    const blocks = [...session].map(([name, contender]) => [name, (n: number) => contender.time(n)] as const);
    const times = await takeTurns(new Map(blocks), protocol, (_, error) => onProblem(messageOf(error)));
    const ours = times.get('gammabeta')?.seconds;
    return [...times].map(([contender, { iterations, seconds }]) => {
      const ratios = ours === undefined ? null : pairedRatios(seconds, ours);
      return {
        workload: workload.name,
        contender,
        checkedAgainst,
        iterations,
        seconds,
        time: summarize(seconds),
        ratios,
        ratio: ratios === null ? null : summarize(ratios),
      };
    });
  });
}
