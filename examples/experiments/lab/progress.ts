import { Presets, SingleBar } from 'cli-progress';
import type { Claim, Effort } from './claim.ts';

export interface LabProgress {
  readonly run: (claim: Claim) => void;
  readonly stop: () => void;
}

/** Prints a line when all runs of a claim are complete; on a terminal also shows a bar for all runs. */
export function labProgress(claims: readonly Claim[], effort: Effort): LabProgress {
  const left = new Map(claims.map((claim) => [claim, claim.settings(effort).length]));
  const total = [...left.values()].reduce((sum, runs) => sum + runs, 0);
  const start = performance.now();
  const bar = process.stdout.isTTY
    ? new SingleBar(
        {
          format: 'runs  {bar} {value}/{total}  {eta_formatted} left',
          hideCursor: true,
          clearOnComplete: true,
        },
        Presets.shades_classic,
      )
    : null;
  let made = 0;
  bar?.start(total, 0);
  return {
    run: (claim) => {
      made++;
      bar?.update(made);
      const rest = (left.get(claim) ?? 0) - 1;
      left.set(claim, rest);
      if (rest > 0) return;
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      bar?.stop();
      console.log(`${claim.name}: all runs complete  (${made} of ${total}, ${seconds} s)`);
      bar?.start(total, made);
    },
    stop: () => bar?.stop(),
  };
}
