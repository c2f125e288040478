/** The program of a worker thread: executes runs, one at a time. */
import { workerData } from 'node:worker_threads';
import workerpool from 'workerpool';
import type { LabData, Outcome, Setting } from './claim.ts';
import { claims } from './claims.ts';

workerpool.worker({
  run: async (name: string, setting: Setting): Promise<Outcome> => {
    const claim = claims.find((each) => each.name === name);
    if (claim === undefined) throw new RangeError(`worker: no claim is called ${name}`);
    return rounded(await claim.run(setting, workerData as LabData));
  },
});

/** Rounds numbers to six digits: float32 training on another machine differs in earlier digits already. */
function rounded(outcome: Outcome): Outcome {
  const text = JSON.stringify(outcome, (_, value: unknown) => {
    if (typeof value !== 'number') return value;
    if (!Number.isFinite(value))
      throw new RangeError(`worker: an outcome is not finite: ${JSON.stringify(outcome)}`);
    return Number(value.toPrecision(6));
  });
  return JSON.parse(text) as Outcome;
}
