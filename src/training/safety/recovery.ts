import type { FloatArray } from '../../../kernels/kernel.ts';
import { expectLayer } from '../../layers/expect-layer.ts';
import type { Layer } from '../../layers/layer.ts';
import type { LearningRate, Optimizer } from '../../optim/optimizer.ts';
import type { DeviceName } from '../../tensor/device/device.ts';
import { currentDevice } from '../../tensor/device/current.ts';
import { switchDevice } from '../../tensor/device/registry.ts';
import { DeviceLostError, expectOptions, GraphError } from '../../tensor/errors.ts';
import { move } from '../../tensor/move.ts';
import type { Tensor } from '../../tensor/tensor.ts';
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
    for (const x of optimizer.remembered) move(x, home, new Float32Array(x.size)); // the checkpoint has the values
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
 * to the `wasm` device and repeats the part, from the state that the previous part left. The state is saved after
 * each part, but only on devices that can be lost.
 */
export async function fallingBack(model: Layer, optimizer: Optimizer<LearningRate>): Promise<Attempt> {
  if (model.parameters().every(({ home }) => home.lost === undefined)) return withoutFallback;
  const recovery = new Recovery({ model, optimizer });
  await recovery.save();
  let isGone = false;
  return async (part) => {
    if (isGone) return part();
    try {
      const result = await part();
      await recovery.save();
      return result;
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      console.warn(`fit: ${error.problem}; training continues on wasm from the last step`);
      await recovery.resume('wasm');
      isGone = true;
      return part();
    }
  };
}
