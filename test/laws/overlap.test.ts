/**
 * Law: asynchronous calls that overlap give the results of calls one after the other, or the later call is refused.
 * Every read of a tensor waits for fast-check's scheduler, which tries the interleavings.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Adam,
  BatchNorm1d,
  BusyError,
  DataLoader,
  decodeCheckpoint,
  decodeSafetensors,
  Dense,
  type DeviceName,
  Dropout,
  encodeCheckpoint,
  encodeWeights,
  evaluate,
  fit,
  loadWeights,
  manualSeed,
  predict,
  Recovery,
  ReLU,
  restoreCheckpoint,
  Sequential,
  type StateDict,
  Tensor,
  trainStep,
  useDevice,
} from '../../src/index.ts';
import { saveWeights } from '../../src/node.ts';

const data = {
  x: Float32Array.from({ length: 24 }, (_, i) => Math.sin(3 * i)),
  shape: [2],
  labels: Int8Array.from({ length: 12 }, (_, i) => (i % 5 === 4 ? -100 : i % 3)),
};
const steps = 6; // two epochs of three batches

/** A network with all that has state: running statistics, dropout, moments, and the epoch of a loader. */
function world() {
  manualSeed(7);
  const model = new Sequential(
    new Dense(2, 5),
    new BatchNorm1d(5),
    new ReLU(),
    new Dropout(0.3),
    new Dense(5, 3),
  );
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const loader = new DataLoader(data, { batchSize: 4, shuffle: true, seed: 3 });
  return { model, optimizer, loader };
}
type World = ReturnType<typeof world>;

const stateOf = ({ model, optimizer, loader }: World) => ({
  model: values(model.stateDict()),
  optimizer: optimizer.stateDict().slots.map((slots) => values(slots)),
  epoch: loader.epoch,
});

function values(of: Readonly<Record<string, Tensor | number>>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, x] of Object.entries(of)) result[name] = x instanceof Tensor ? x.dataSync() : x;
  return result;
}

/** Calls that only read. */
const readers: Record<string, (world: World) => Promise<unknown>> = {
  evaluate: ({ model }) => evaluate(model, data),
  'evaluate with the loader of fit': async ({ model, loader }) => {
    const { loss, accuracy } = await evaluate(model, loader);
    return [loss.toFixed(5), accuracy.toFixed(5)]; // the order of the batches depends on the epoch of the loader
  },
  'evaluate in batches of one': ({ model }) => evaluate(model, new DataLoader(data, { batchSize: 1 })),
  predict: async ({ model }) => Array.from((await predict(model, data, { batchSize: 5 })).dataSync()),
  encodeCheckpoint: async (parts) => {
    const { model, optimizer, streams } = decodeCheckpoint(await encodeCheckpoint(parts));
    return { model: values(model), slots: optimizer?.slots.map((of) => values(of)), streams };
  },
  encodeWeights: ({ model }) => Promise.resolve(tensorsOf(encodeWeights(model))),
  saveWeights: async ({ model }) => {
    const path = join(folder, `${saved++}.safetensors`);
    await saveWeights(path, model, { layout: 'pytorch' });
    return tensorsOf(await readFile(path));
  },
  stateDict: ({ model }) => Promise.resolve(values(model.stateDict())),
  'stateDict of a layer': ({ model }) => Promise.resolve(values(model.layers[1].stateDict())),
  'predict of a layer': async ({ model }) => {
    const x = Float32Array.from({ length: 20 }, (_, i) => i % 7);
    return Array.from((await predict(model.layers[1], { x, shape: [5] })).dataSync());
  },
};

const folder = mkdtempSync(join(tmpdir(), 'gammabeta-overlap-'));
afterAll(() => rmSync(folder, { recursive: true }));
let saved = 0;

const tensorsOf = (file: Uint8Array) =>
  Object.entries(decodeSafetensors(file).tensors).map(([name, { data }]) => [name, data]);

/** Calls that train. */
const trainings: Record<string, (world: World) => Promise<unknown>> = {
  fit: async ({ model, optimizer, loader }) => {
    const history = await fit(model, {
      train: loader,
      validation: data,
      optimizer,
      epochs: 2,
    });
    return [history.loss, history.accuracy, history.valLoss, history.valAccuracy];
  },
  'fit of a part of the model': ({ model, loader }) =>
    fit(model.layers[0], {
      train: new DataLoader(data, { batchSize: 4 }),
      loss: (output) => output.sum(),
      optimizer: new Adam(model.layers[0].parameters()),
      epochs: loader.epoch + 1,
    }),
  'fit of another model with the same optimizer': ({ optimizer, model }) =>
    fit(new Sequential(model.layers[0]), {
      train: data,
      loss: (output) => output.sum(),
      optimizer,
      epochs: 1,
    }),
  'fit of another model with the same loader': ({ loader }) => {
    const other = new Dense(2, 3);
    return fit(other, { train: loader, optimizer: new Adam(other.parameters()), epochs: 1 });
  },
  'fit of another model with dropout': () => {
    const other = new Sequential(new Dense(2, 3), new Dropout(0.5));
    return fit(other, { train: data, optimizer: new Adam(other.parameters()), epochs: 1 });
  },
  trainStep: ({ model, optimizer, loader }) => trainStep(model, [...loader][0], { optimizer }),
  useDevice: ({ model }) => useDevice(model.parameters()[0].device),
};

/** What a loader loads: the state of another training. */
interface Saved {
  readonly state: StateDict;
  readonly weights: Uint8Array;
  readonly checkpoint: Uint8Array;
}

/** Calls that load a state. */
const loaders: Record<string, (world: World, saved: Saved) => unknown> = {
  loadStateDict: ({ model }, { state }) => model.loadStateDict(state),
  'loadStateDict of a bias': ({ model }, { state }) =>
    model.loadStateDict({ '0.bias': state['0.bias'] }, { strict: false }),
  'loadStateDict of running statistics': ({ model }, { state }) =>
    model.loadStateDict({ '1.running_mean': state['1.running_mean'] }, { strict: false }),
  'loadStateDict of a layer': ({ model }, { state }) =>
    model.layers[4].loadStateDict({ weight: state['4.weight'], bias: state['4.bias'] }),
  'loadStateDict of another model with the same layer': ({ model }, { state }) =>
    new Sequential(model.layers[4]).loadStateDict({
      '0.weight': state['4.weight'],
      '0.bias': state['4.bias'],
    }),
  loadWeights: ({ model }, { weights }) => loadWeights(model, weights),
  restoreCheckpoint: ({ model }, { checkpoint }) => restoreCheckpoint(checkpoint, { model }),
  'restoreCheckpoint with the optimizer': ({ model, optimizer }, { checkpoint }) =>
    restoreCheckpoint(checkpoint, { model, optimizer }),
};

/** Lets every read of a tensor wait for the scheduler. The values are those of the time of the call. */
function scheduleReads(scheduler: fc.Scheduler): void {
  vi.spyOn(Tensor.prototype, 'data').mockImplementation(function (this: Tensor) {
    return scheduler.schedule(Promise.resolve(this.dataSync()), 'read');
  });
}

/** A moment in the training: after so many reads, and so many continuations of what waited for them. */
const starts = fc.record({ reads: fc.nat(20), continuations: fc.nat(20) });
type Start = typeof starts extends fc.Arbitrary<infer T> ? T : never;

/** Lets the training go on to that moment, or to its end. */
async function goOn(
  scheduler: fc.Scheduler,
  training: Promise<unknown>,
  { reads, continuations }: Start,
): Promise<void> {
  const ended = training.then(
    () => true,
    () => true,
  );
  const goes = () => scheduler.waitNext(1).then(() => false);
  for (let i = 0; i < reads; i++) if (await Promise.race([goes(), ended])) return;
  for (let i = 0; i < continuations; i++) await Promise.resolve();
}

afterEach(() => vi.restoreAllMocks());

describe.each<DeviceName>(['cpu', 'wasm'])('on %s', (device) => {
  beforeAll(() => useDevice(device));

  /** The results of a reader after 0, 1, … complete steps of `fit`. */
  async function afterEachStep(read: (world: World) => Promise<unknown>): Promise<unknown[]> {
    const results: unknown[] = [];
    const parts = world();
    const add = async () => results.push(await read(parts));
    await add();
    await fit(parts.model, { train: parts.loader, optimizer: parts.optimizer, epochs: 2, onBatch: add });
    expect(results).toHaveLength(steps + 1);
    return results;
  }

  describe.each(Object.entries(readers))('%s during fit', (_, read) => {
    it('gives the result of some moment between two steps, and does not change fit', async () => {
      const alone = world();
      const history = await trainings.fit(alone);
      const possible = await afterEachStep(read);

      const property = fc.asyncProperty(fc.scheduler(), starts, async (scheduler, start) => {
        scheduleReads(scheduler);
        const parts = world();
        const training = trainings.fit(parts);
        await goOn(scheduler, training, start);
        const reading = read(parts);
        const [trained, result] = await scheduler.waitFor(Promise.all([training, reading]));
        vi.restoreAllMocks();
        expect(trained).toEqual(history);
        expect(stateOf(parts)).toEqual(stateOf(alone));
        expect(possible).toContainEqual(result);
      });
      await fc.assert(property, { numRuns: 15, endOnFailure: true });
    });
  });

  describe.each(Object.entries(trainings))('%s during fit', (name, train) => {
    it('is refused, and fit goes on as if alone', async () => {
      const alone = world();
      const history = await trainings.fit(alone);

      const property = fc.asyncProperty(fc.scheduler(), starts, async (scheduler, start) => {
        scheduleReads(scheduler);
        const parts = world();
        const training = trainings.fit(parts);
        await goOn(scheduler, training, start);
        const goesOn = start.reads === 0 || scheduler.count() > 0; // it waits for a read
        if (!goesOn) await scheduler.waitFor(training);
        fc.pre(goesOn);
        const epoch = parts.loader.epoch;
        const second = train({ ...parts, loader: parts.loader }).catch((error: unknown) => error);
        if (name === 'trainStep') parts.loader.epoch = epoch; // the test itself took a batch from the loader
        const [trained, refusal] = await scheduler.waitFor(Promise.all([training, second]));
        vi.restoreAllMocks();
        expect(refusal).toBeInstanceOf(BusyError);
        expect(String(refusal)).toContain('fit');
        expect(trained).toEqual(history);
        expect(stateOf(parts)).toEqual(stateOf(alone));
      });
      await fc.assert(property, { numRuns: 10, endOnFailure: true });
    });
  });

  it('readers that overlap each other give what they give alone', async () => {
    const names = Object.keys(readers);
    const parts = world();
    await trainings.fit(parts);
    const alone = await Promise.all(names.map((name) => readers[name](parts)));
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      scheduleReads(scheduler);
      const all = Promise.all(names.map((name) => readers[name](parts)));
      const results = await scheduler.waitFor(all);
      vi.restoreAllMocks();
      expect(results).toEqual(alone);
    });
    await fc.assert(property, { numRuns: 15, endOnFailure: true });
  });

  describe.each(Object.entries(loaders))('%s during fit', (_, load) => {
    it('takes effect between two steps, or is refused, and fit goes on as if alone', async () => {
      const other = world();
      await fit(other.model, { train: data, optimizer: other.optimizer, epochs: 1 });
      const saved: Saved = {
        state: other.model.stateDict(),
        weights: encodeWeights(other.model, { layout: 'pytorch' }),
        checkpoint: await encodeCheckpoint({ model: other.model, optimizer: other.optimizer }),
      };
      /** The state after `fit`, if the load happens after this number of steps. */
      const endOf = async (after: number): Promise<unknown> => {
        const parts = world();
        let step = 0;
        const loadAfter = () => {
          if (step++ === after) load(parts, saved);
        };
        loadAfter();
        await fit(parts.model, {
          train: parts.loader,
          optimizer: parts.optimizer,
          epochs: 2,
          onBatch: loadAfter,
        });
        return stateOf(parts);
      };
      const alone = await endOf(Infinity);
      const possible: unknown[] = [];
      for (let after = 0; after <= steps; after++) possible.push(await endOf(after));

      const property = fc.asyncProperty(fc.scheduler(), starts, async (scheduler, start) => {
        scheduleReads(scheduler);
        const parts = world();
        const training = trainings.fit(parts);
        await goOn(scheduler, training, start);
        const before = stateOf(parts);
        let refusal: unknown = null;
        try {
          load(parts, saved);
          expect(stateOf(parts)).not.toEqual(before);
        } catch (error) {
          refusal = error;
          expect(stateOf(parts)).toEqual(before);
        }
        await scheduler.waitFor(training);
        vi.restoreAllMocks();
        if (refusal === null) {
          expect(possible).toContainEqual(stateOf(parts));
          return;
        }
        expect(refusal).toBeInstanceOf(BusyError);
        expect(refusal).toMatchObject({ problem: 'fit is computing a batch of the model' });
        expect(stateOf(parts)).toEqual(alone);
      });
      await fc.assert(property, { numRuns: 10, endOnFailure: true });
    });
  });

  it('a copy for recovery that is taken during fit is of one moment', async () => {
    const property = fc.asyncProperty(fc.scheduler(), starts, async (scheduler, start) => {
      const possible: unknown[] = [];
      const alone = world();
      const note = () => void possible.push(values(alone.model.stateDict()));
      note();
      await fit(alone.model, { train: alone.loader, optimizer: alone.optimizer, epochs: 2, onBatch: note });

      scheduleReads(scheduler);
      const { model, optimizer, loader } = world();
      const recovery = new Recovery({ model, optimizer });
      const training = trainings.fit({ model, optimizer, loader });
      await goOn(scheduler, training, start);
      await scheduler.waitFor(Promise.all([training, recovery.save()]));
      vi.restoreAllMocks();
      await recovery.resume(device);
      expect(possible).toContainEqual(values(model.stateDict()));
    });
    await fc.assert(property, { numRuns: 5, endOnFailure: true });
  });
});
