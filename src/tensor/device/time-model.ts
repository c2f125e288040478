/** Times training steps of a model on a device, for `useDevice('auto', { for: model, batch })`. */
import { sgdUpdate } from '../../../kernels/fused/sgd.ts';
import type { FloatArray } from '../../../kernels/kernel.ts';
import { tensor } from '../create.ts';
import { expectTensor, refused, shown, ValueError } from '../errors.ts';
import { move } from '../move.ts';
import { runFused } from '../op.ts';
import { streams } from '../random.ts';
import type { Tensor } from '../tensor.ts';
import type { Device } from './device.ts';

/** What is timed: a layer, such as a `Sequential`. */
export interface TimedModel {
  forward(x: Tensor): Tensor;
  parameters(): readonly Tensor[];
  /** @internal */
  tensors(): readonly Tensor[];
  /** @internal */
  namedSlots(): readonly (readonly [name: string, slot: CountedSlot])[];
}

/** An entry of a state dict. Those that are no tensor, such as a count of batches, have no `held`. */
interface CountedSlot {
  readonly held?: Tensor;
  readonly read: () => Tensor;
  readonly write: (source: Tensor) => void;
}

/** A model and a batch in ordinary memory, from which they are copied to each device. */
export interface Trial {
  readonly model: TimedModel;
  readonly values: ReadonlyMap<Tensor, FloatArray>;
  readonly batch: { readonly values: FloatArray; readonly tensor: Tensor };
}

/** The first steps compile kernels, and are not counted. */
const WARM_UP = 2;
/** The time for each device, in milliseconds. */
const BUDGET = 300;

/**
 * Reads a model and a batch.
 *
 * @throws {ValueError} The model is not a layer, or the batch is not a tensor.
 */
export async function trialOf(model: unknown, batch: Tensor | undefined): Promise<Trial> {
  if (!isModel(model)) {
    const hint = 'pass a layer and a batch of its inputs: { for: model, batch: x }';
    throw new ValueError('useDevice', `for: ${shown(model)} is not a layer`, hint);
  }
  const hint = 'pass a tensor of inputs of the model';
  if (batch === undefined) throw refused('useDevice', 'batch', batch, hint);
  const x = expectTensor('useDevice', 'batch', batch, hint);
  const tensors = model.tensors();
  const [values, ...held] = await Promise.all([x, ...tensors].map((each) => each.data()));
  return {
    model,
    values: new Map(tensors.map((each, k) => [each, held[k]])),
    batch: { values, tensor: x },
  };
}

function isModel(value: unknown): value is TimedModel {
  const { forward, parameters, tensors, namedSlots } = Object(value) as Partial<TimedModel>;
  return [forward, parameters, tensors, namedSlots].every((method) => typeof method === 'function');
}

/** An element type of the model or the batch that the device does not have; undefined if it has all. */
export function missingType({ values, batch }: Trial, device: Device): string | undefined {
  const types = [batch.tensor, ...values.keys()].map(({ dtype }) => dtype);
  return types.find((dtype) => !device.dtypes.includes(dtype));
}

/** Moves the model to a device, with the values of the trial. */
export function moveModel({ values }: Trial, device: Device): void {
  for (const [x, data] of values) if (x.home !== device) move(x, device, data);
}

/**
 * The shortest time of a training step on a device, in milliseconds: forward pass, backward pass and an update of each
 * parameter. The steps run on copies: afterwards the model is as before.
 */
export async function stepTime(trial: Trial, device: Device): Promise<number> {
  const { model, batch } = trial;
  const before = [...trial.values.keys()].map(({ storage, home, grad }) => ({ storage, home, grad }));
  const counts = model.namedSlots().filter(([, { held }]) => held === undefined);
  const counted = counts.map(([, { read }]) => read());
  const dropout = streams.dropout.state;
  try {
    for (const [x, values] of trial.values) move(x, device, values);
    const { shape, dtype } = batch.tensor;
    const x = tensor(batch.values, { shape, dtype, device });
    return await shortest(() => step(model, x));
  } finally {
    [...trial.values.keys()].forEach((x, k) => {
      device.free(x.storage);
      const { storage, home, grad } = before[k];
      [x.storage, x.home] = [storage, home];
      x.grad = grad;
    });
    counts.forEach(([, { write }], k) => write(counted[k]));
    streams.dropout.state = dropout;
  }
}

/** One step, whose loss is Σ y². The learning rate is 0, so that no step changes the next. */
async function step(model: TimedModel, x: Tensor): Promise<void> {
  const y = model.forward(x);
  const loss = y.mul(y).sum();
  const parameters = model.parameters().filter(({ requiresGrad }) => requiresGrad);
  for (const parameter of parameters) parameter.grad = null;
  if (loss.requiresGrad) loss.backward();
  for (const parameter of parameters) {
    if (parameter.grad !== null) runFused(sgdUpdate, [parameter, parameter.grad], { lr: 0, weightDecay: 0 });
  }
  await loss.data();
}

async function shortest(work: () => Promise<void>): Promise<number> {
  let least = Infinity;
  const start = performance.now();
  for (let step = 0; step <= WARM_UP || performance.now() - start < BUDGET; step++) {
    const begin = performance.now();
    await work();
    if (step >= WARM_UP) least = Math.min(least, performance.now() - begin);
  }
  return least;
}
