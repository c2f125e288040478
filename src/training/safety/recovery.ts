import type { FloatArray } from '../../../kernels/kernel.ts';
import { expectLayer } from '../../layers/expect-layer.ts';
import type { Layer } from '../../layers/layer.ts';
import type { Optimizer } from '../../optim/optimizer.ts';
import type { LearningRate } from '../../optim/optimizer-options.ts';
import type { DeviceName, Storage } from '../../tensor/device/device.ts';
import { currentDevice } from '../../tensor/device/current.ts';
import { switchDevice } from '../../tensor/device/registry.ts';
import { DeviceLostError, expectOptions, GraphError } from '../../tensor/errors.ts';
import { move } from '../../tensor/move.ts';
import { streams } from '../../tensor/random.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { expectOptimizer } from '../exclusive.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../checkpoint/checkpoint.ts';
import { expectBetweenBatches } from '../snapshot.ts';

/** The objects that training changes. */
export interface RecoveryParts {
  readonly model: Layer;
  readonly optimizer: Optimizer<LearningRate>;
}

/**
 * Keeps a copy of the model and the optimizer in ordinary memory, because the memory of a lost GPU cannot be read.
 * Training then repeats only the steps since the last `save()`.
 *
 * `fit({ fallback: true })` does this by itself. In your own loop, save after each step or after every tenth step:
 * each `save()` reads all parameters and the optimizer's state from the GPU.
 *
 * @example
 * ```ts
 * import { crossEntropy, Dense, DeviceLostError, Recovery, SGD, tensor } from 'gammabeta';
 *
 * const model = new Dense(2, 2);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * const recovery = new Recovery({ model, optimizer });
 * await recovery.save();
 * for (let step = 0; step < 10; ) {
 *   try {
 *     const x = tensor([[0, 1], [1, 0]]);
 *     optimizer.zeroGrad();
 *     crossEntropy(model.forward(x), [0, 1]).backward();
 *     optimizer.step();
 *     await recovery.save();
 *     step++;
 *   } catch (error) {
 *     if (!(error instanceof DeviceLostError)) throw error;
 *     await recovery.resume('wasm'); // the loop repeats this step on wasm
 *   }
 * }
 * ```
 */
export class Recovery {
  private readonly parts: RecoveryParts;
  private saved: Uint8Array | null = null;
  /** The values at the first `save()`. Constant tensors of the model still have them; no checkpoint holds constants. */
  private first: ReadonlyMap<Tensor, FloatArray> | null = null;

  /** @throws {ValueError} The parts are not a layer and an optimizer. */
  constructor(parts: RecoveryParts) {
    expectOptions('Recovery', parts, ['model', 'optimizer']);
    expectLayer('Recovery', parts.model);
    expectOptimizer('Recovery', parts.optimizer);
    this.parts = parts;
  }

  /**
   * Copies the current state.
   * @throws {DeviceLostError} The GPU was lost before the state was read; the previous copy is kept.
   */
  async save(): Promise<void> {
    const bytes = await encodeCheckpoint(this.parts);
    this.first ??= await valuesOf(this.parts.model.tensors());
    this.saved = bytes;
  }

  /**
   * Moves the model and the optimizer to another device, in the state of the last `save()`, and makes it the current
   * device. Tensors that you hold, such as `model.weight`, move with them; gradients are lost.
   *
   * @throws {GraphError} `save()` was not called.
   * @throws {DeviceError} The device is not available.
   * @throws {BusyError} `fit` or `trainStep` is computing a batch of the model.
   */
  async resume(device: DeviceName): Promise<void> {
    if (this.saved === null) {
      throw new GraphError(
        'resume',
        'nothing was saved',
        'call save() before training begins, and after each step',
      );
    }
    const { model, optimizer } = this.parts;
    expectBetweenBatches('resume', model);
    await switchDevice(device);
    const home = currentDevice();
    for (const x of model.tensors()) move(x, home, this.first?.get(x) ?? new Float32Array(x.size));
    for (const x of remembered(optimizer)) move(x, home, new Float32Array(x.size)); // the checkpoint has the values
    restoreCheckpoint(this.saved, this.parts);
  }
}

async function valuesOf(tensors: readonly Tensor[]): Promise<Map<Tensor, FloatArray>> {
  const values = await Promise.all(tensors.map((x) => x.data()));
  return new Map(tensors.map((x, k) => [x, values[k]]));
}

// ── fit with fallback: true ────────────────────────────────────────────────────────────────────────────

/** Runs a part of training, such as one step. */
export type Attempt = <T>(part: () => Promise<T>) => Promise<T>;

export const withoutFallback: Attempt = (part) => part();

/**
 * Returns a function that runs one part of training after the other. If the GPU is lost during a part, training moves
 * to the `wasm` device and repeats the part, from the state that it began with.
 *
 * The state is saved after each part, and before a part if a state was loaded since; only on devices that can be lost.
 * Learning rates and random numbers are no part of the GPU's memory: a repeated part has those that it began with.
 */
export async function fallingBack(model: Layer, optimizer: Optimizer<LearningRate>): Promise<Attempt> {
  if (model.parameters().every(({ home }) => home.lost === undefined)) return withoutFallback;
  const recovery = new Recovery({ model, optimizer });
  let saved = versions(model, optimizer);
  const save = async (): Promise<void> => {
    const now = versions(model, optimizer);
    await recovery.save();
    saved = now;
  };
  await save();
  let isGone = false;
  return async (part) => {
    if (isGone) return part();
    if (!isSame(saved, versions(model, optimizer))) await save().catch(explainLoss);
    const settings = settingsOf(optimizer);
    try {
      const result = await part();
      if (!isSame(saved, versions(model, optimizer))) await save();
      return result;
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      console.warn(`fit: ${error.problem}; training continues on wasm from the last step`);
      await recovery.resume('wasm');
      settings.restore();
      isGone = true;
      return part();
    }
  };
}

/** The tensors that training changes, with the numbers of their changes. */
type Versions = ReadonlyMap<Tensor, { readonly storage: Storage; readonly version: number }>;

function versions(model: Layer, optimizer: Optimizer<LearningRate>): Versions {
  const tensors = [...model.tensors(), ...remembered(optimizer)];
  return new Map(tensors.map((x) => [x, { storage: x.storage, version: x.storage.version }]));
}

function isSame(before: Versions, now: Versions): boolean {
  const unchanged = [...now].filter(([x, { storage, version }]) => {
    const then = before.get(x);
    return then?.storage === storage && then.version === version;
  });
  return unchanged.length === now.size && before.size === now.size;
}

/** The tensors of the optimizer's state. */
function remembered({ paramGroups }: Optimizer<LearningRate>): readonly Tensor[] {
  const all = paramGroups.flatMap(({ slots }) => slots).flatMap((of) => Object.values(of));
  return all.filter((slot) => slot instanceof Tensor);
}

/** What the program can set between two parts, outside the GPU's memory. */
function settingsOf(optimizer: Optimizer<LearningRate>): { readonly restore: () => void } {
  const groups = optimizer.paramGroups.map((group) => ({ group, options: group.options }));
  const states = Object.values(streams).map((stream) => [stream, stream.state] as const);
  return {
    restore: () => {
      for (const { group, options } of groups) group.options = options;
      for (const [stream, state] of states) stream.state = state;
    },
  };
}

/** The GPU was lost with a state that was loaded since the last save, so nothing has a copy of it. */
function explainLoss(error: unknown): never {
  if (!(error instanceof DeviceLostError)) throw error;
  const problem = `${error.problem}, with the state that was loaded since the last batch`;
  throw new DeviceLostError('fit', problem, 'load that state again, on wasm, and train from there', {
    cause: error,
  });
}
