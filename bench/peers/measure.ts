/** Compares the results of contenders in one workload, and times in turns those that agree. */
import { GammaBetaError } from '../../src/index.ts';
import { pairedRatios, summarize } from '../statistics.ts';
import { disagreement, type Results } from './agreement.ts';
import type { ContenderName } from './contenders.ts';
import type { Timing } from './peers-report.ts';
import { type Protocol, takeTurns, type TimeBlock } from './rounds.ts';
import type { Prepared, Workload } from './workloads.ts';

/** Called with one line per problem. The contender it concerns is left out, and the others continue. */
export type OnProblem = (line: string) => void;

/** A contender that has prepared a workload. */
export interface Entrant {
  readonly verify: () => Promise<Results>;
  readonly time: TimeBlock;
}

export function protocolOf(quick: boolean, rounds: number | undefined): Protocol {
  return quick
    ? { rounds: rounds ?? 3, blockSeconds: 0.05, warmupSeconds: 0.3 }
    : { rounds: rounds ?? 15, blockSeconds: 0.3, warmupSeconds: 1 };
}

export async function measure(
  entrants: ReadonlyMap<ContenderName, Entrant>,
  workload: Workload,
  prepared: Prepared,
  protocol: Protocol,
  onProblem: OnProblem,
): Promise<Timing[]> {
  const { checkedAgainst, agreeing } = await compareResults(entrants, workload, prepared, onProblem);
  const blocks = new Map([...agreeing].map(([name, { time }]) => [name, time] as const));
  const times = await takeTurns(blocks, protocol, (_, error) => onProblem(messageOf(error)));
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
}

interface Compared {
  /** The contender whose results are the reference; null if fewer than two have results. */
  readonly checkedAgainst: ContenderName | null;
  readonly agreeing: ReadonlyMap<ContenderName, Entrant>;
}

/** Leaves out every contender that fails, or whose results differ from those of the reference. */
async function compareResults(
  entrants: ReadonlyMap<ContenderName, Entrant>,
  { references, tolerance }: Workload,
  prepared: Prepared,
  onProblem: OnProblem,
): Promise<Compared> {
  const agreeing = new Map(entrants);
  const verified = new Map<ContenderName, Results>();
  for (const [name, entrant] of entrants) {
    try {
      verified.set(name, await entrant.verify());
    } catch (error) {
      agreeing.delete(name);
      onProblem(messageOf(error));
    }
  }
  const names = [...verified.keys()];
  const reference = references.find((name) => verified.has(name)) ?? names[0];
  const expected = verified.get(reference);
  if (expected === undefined || names.length === 1) return { checkedAgainst: null, agreeing };
  for (const [name, found] of verified) {
    const difference = name === reference ? null : disagreement(found, expected, prepared, tolerance);
    if (difference === null) continue;
    agreeing.delete(name);
    const problem = `differs from ${reference}: ${difference}`;
    onProblem(
      new GammaBetaError(name, problem, 'this workload is not timed; see bench/peers/contenders').message,
    );
  }
  return { checkedAgainst: reference, agreeing };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
