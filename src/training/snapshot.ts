/**
 * The state of a model at one moment. `evaluate`, `predict` and checkpoints use the state of the time of their call,
 * while `fit` may go on training the same model.
 */
import type { Layer, StateDict } from '../layers/layer.ts';
import { beforeBatch } from '../layers/state-dict.ts';
import { assign, copy } from '../tensor/assign.ts';
import { BusyError } from '../tensor/device/hold.ts';
import { keep } from '../tensor/op.ts';
import { type StreamState, streams } from '../tensor/random.ts';

/** The models of which a batch is being computed, and what ends that. The parameters change last, all at once. */
const underway = new WeakMap<Layer, { readonly dropout: StreamState; readonly settle: () => void }>();

/** Declares that a batch is being computed, until `endBatch`. Returns the buffers as they are before it. */
export function beginBatch(model: Layer): StateDict {
  const slots = model.namedSlots().filter(([, slot]) => !slot.trained);
  const buffers = Object.fromEntries(slots.map(([name, slot]) => [name, slot.read()]));
  for (const [name, slot] of slots) beforeBatch.set(slot.held ?? slot, buffers[name]);
  const settle = (): void => slots.forEach(([, slot]) => beforeBatch.delete(slot.held ?? slot));
  underway.set(model, { dropout: streams.dropout.state, settle });
  return buffers;
}

export function endBatch(model: Layer): void {
  underway.get(model)?.settle();
  underway.delete(model);
}

/** @throws {BusyError} A batch of the model is being computed, from the state that the caller wants to change. */
export function expectBetweenBatches(op: string, model: Layer): void {
  if (!underway.has(model)) return;
  throw new BusyError(
    op,
    'a batch of the model is being computed',
    'restore in onBatch or onEpoch, or after training',
  );
}

/** The state of the dropout stream after the last complete training step of a model. */
export function dropoutOf(model: Layer): StreamState {
  return underway.get(model)?.dropout ?? streams.dropout.state;
}

/** Runs a synchronous computation. */
export type Compute = <T>(compute: () => T) => T;

/** The state that a model has now, kept while the model changes. */
export interface Snapshot {
  /** Runs a synchronous computation with that state. */
  readonly compute: Compute;
  /** Ends the snapshot. Its memory is used for the next one. */
  readonly end: () => void;
}

/** Memory of snapshots that have ended. */
const spare = new WeakMap<Layer, StateDict[]>();

/** Keeps the state of the model after the last complete training step. */
export function snapshot(model: Layer): Snapshot {
  const tensors = model.namedTensors();
  const unused = spare.get(model) ?? [];
  spare.set(model, unused);
  const kept = unused.pop() ?? {};
  for (const [name, x] of tensors) {
    const source = beforeBatch.get(x) ?? x;
    if (Object.hasOwn(kept, name) && kept[name].home === x.home) assign(kept[name], source);
    else kept[name] = keep(copy(source));
  }
  const exchange = (): void => {
    for (const [name, x] of tensors) [x.storage, kept[name].storage] = [kept[name].storage, x.storage];
  };
  return {
    compute: (run) => {
      exchange();
      try {
        return run();
      } finally {
        exchange();
      }
    },
    end: () => void unused.push(kept),
  };
}
