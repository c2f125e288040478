import type { FloatArray } from '../../../kernels/kernel.ts';
import type { Layer } from '../../layers/layer.ts';
import type { LearningRate, Optimizer } from '../../optim/optimizer.ts';
import { move } from '../../tensor/assign.ts';
import type { DeviceName } from '../../tensor/device/device.ts';
import { currentDevice } from '../../tensor/device/current.ts';
import { useDevice } from '../../tensor/device/registry.ts';
import { GraphError } from '../../tensor/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../checkpoint/checkpoint.ts';

/** What training changes. */
export interface RecoveryParts {
  readonly model: Layer;
  readonly optimizer: Optimizer<LearningRate>;
}

/**
 * A copy, in ordinary memory, of all that training changes: so that a GPU that goes away costs the step that was
 * running, and no more. What is on it then cannot be read again.
 *
 * `fit` with `fallback: true` does all this by itself. In a loop of your own, save after each step, or after every
 * tenth: it reads all parameters, and what the optimizer remembers, from the GPU.
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
 *     await recovery.resume('wasm'); // and this step once more, there
 *   }
 * }
 * ```
 */
export class Recovery {
  private readonly parts: RecoveryParts;
  private saved: Uint8Array | null = null;
  /** What all the model's tensors first held: constants hold it still, and they are in no checkpoint. */
  private first: ReadonlyMap<Tensor, FloatArray> | null = null;

  constructor(parts: RecoveryParts) {
    this.parts = parts;
  }

  /**
   * Copies everything as it is at this moment.
   * @throws {DeviceLostError} It could not be read any more; what was saved before is still there.
   */
  async save(): Promise<void> {
    const bytes = await encodeCheckpoint(this.parts);
    this.first ??= await valuesOf(this.parts.model.tensors());
    this.saved = bytes;
  }

  /**
   * Puts model and optimizer on another device, as they were when they were saved. Tensors that you hold, such as
   * `model.weight`, are there then; gradients are gone. New tensors are made there too.
   *
   * @throws {GraphError} Nothing was saved.
   * @throws {DeviceError} The device is not there.
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
    await useDevice(device);
    const home = currentDevice();
    for (const x of model.tensors()) move(x, home, this.first?.get(x) ?? new Float32Array(x.size));
    for (const x of optimizer.remembered) move(x, home, new Float32Array(x.size)); // its values are in the checkpoint
    restoreCheckpoint(this.saved, this.parts);
  }
}

async function valuesOf(tensors: readonly Tensor[]): Promise<Map<Tensor, FloatArray>> {
  const values = await Promise.all(tensors.map((x) => x.data()));
  return new Map(tensors.map((x, k) => [x, values[k]]));
}
