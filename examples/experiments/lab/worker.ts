/** Makes one run after the other, in a thread of its own. */
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

/** To six digits, which are more than float32 training is reproducible to on another machine. */
function rounded(outcome: Outcome): Outcome {
  const text = JSON.stringify(outcome, (_, value: unknown) => {
    if (typeof value !== 'number') return value;
    if (!Number.isFinite(value)) throw new RangeError(`an outcome is not finite: ${JSON.stringify(outcome)}`);
    return Number(value.toPrecision(6));
  });
  return JSON.parse(text) as Outcome;
}
