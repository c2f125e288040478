/**
 * The state of a model at one moment. `evaluate`, `predict` and checkpoints use the state of the time of their call,
 * while `fit` may go on training the same model.
 */
import type { Layer } from '../layers/layer.ts';
import type { StateDict } from '../layers/state-dict.ts';
import { underway } from '../layers/load-state-dict.ts';
import type { Slot } from '../layers/state-dict.ts';
import { assign, copy } from '../tensor/assign.ts';
import { BusyError } from '../tensor/device/hold.ts';
import { keep } from '../tensor/op.ts';
import { type StreamState, streams } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The models of which a batch is being computed, and what ends that. The parameters change last, all at once. */
const computing = new WeakMap<Layer, { readonly dropout: StreamState; readonly settle: () => void }>();

/** What holds the values of an entry of a state dict. */
type Entry = Tensor | Slot;

/** Buffers as they were before the training batch that is being computed, by what holds them. */
const beforeBatch = new WeakMap<Entry, Tensor>();

/** Declares that `op` is computing a batch, until `endBatch`. Returns the buffers as they are before it. */
export function beginBatch(op: string, model: Layer): StateDict {
  const all = model.namedSlots();
  const slots = all.filter(([, slot]) => !slot.trained);
  const buffers = Object.fromEntries(slots.map(([name, slot]) => [name, slot.read()]));
  for (const [name, slot] of slots) beforeBatch.set(slot.held ?? slot, buffers[name]);
  const finish = startComputing(op, entriesOf(all));
  const settle = (): void => {
    finish();
    for (const [, slot] of slots) beforeBatch.delete(slot.held ?? slot);
  };
  computing.set(model, { dropout: streams.dropout.state, settle });
  return buffers;
}

export function endBatch(model: Layer): void {
  computing.get(model)?.settle();
  computing.delete(model);
}

// ── loading within a batch ──────────────────────────────────────────────────────────────────────────────

/** The entries from which batches are being computed, each with the function that computes its batch. */
const inBatches = new Map<readonly Entry[], string>();
let isRestoring = false;

/** Declares that `op` is computing a batch from these entries, until the returned function is called. */
function startComputing(op: string, entries: readonly Entry[]): () => void {
  underway.expectNone = refuseWithinBatch;
  underway.before = (slot) => beforeBatch.get(slot.held ?? slot);
  inBatches.set(entries, op);
  return () => void inBatches.delete(entries);
}

/** Loading within a batch would apply the gradients of the old values to the new ones. */
function refuseWithinBatch(op: string, slots: Iterable<readonly [string, Slot]>): void {
  if (inBatches.size === 0 || isRestoring) return;
  const loaded = new Set(entriesOf(slots));
  for (const [entries, by] of inBatches) {
    if (!entries.some((entry) => loaded.has(entry))) continue;
    const hint = 'load between two batches: in onBatch or onEpoch of fit, or after the call';
    throw new BusyError(op, `${by} is computing a batch of the model`, hint);
  }
}

/** @throws {BusyError} A batch of the model is being computed, from the state that the caller wants to change. */
export function expectBetweenBatches(op: string, model: Layer): void {
  refuseWithinBatch(op, model.namedSlots());
}

/** Restores buffers that were copied before a forward pass, also within a batch. */
export function restoreBuffers(model: Layer, buffers: StateDict): void {
  isRestoring = true;
  try {
    model.loadStateDict(buffers, { strict: false });
  } finally {
    isRestoring = false;
  }
}

function entriesOf(slots: Iterable<readonly [string, Slot]>): Entry[] {
  return Array.from(slots, ([, slot]) => slot.held ?? slot);
}

// ── snapshots ───────────────────────────────────────────────────────────────────────────────────────────

/** The state of the dropout stream after the last complete training step of a model. */
export function dropoutOf(model: Layer): StreamState {
  return computing.get(model)?.dropout ?? streams.dropout.state;
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

/** Keeps the state of the model after the last complete training step. `op` is the function that computes with it. */
export function snapshot(op: string, model: Layer): Snapshot {
  const slots = model.namedSlots();
  const tensors = slots.flatMap(([name, { held }]): [string, Tensor][] => (held ? [[name, held]] : []));
  const entries = entriesOf(slots);
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
      const finish = startComputing(op, entries);
      try {
        return run();
      } finally {
        finish();
        exchange();
      }
    },
    end: () => void unused.push(kept),
  };
}
