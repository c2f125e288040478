import type { FloatArray } from '../../kernels/kernel.ts';
import type { Layer } from '../layers/layer.ts';
import type { LearningRate, Optimizer } from '../optim/optimizer.ts';
import { move } from '../tensor/assign.ts';
import type { DeviceName } from '../tensor/device.ts';
import { currentDevice, useDevice } from '../tensor/devices.ts';
import { GraphError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { encodeCheckpoint, restoreCheckpoint } from './checkpoint.ts';

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
  private saved: Saved | null = null;

  constructor(parts: RecoveryParts) {
    this.parts = parts;
  }

  /**
   * Copies everything as it is at this moment.
   * @throws {DeviceLostError} It could not be read any more; what was saved before is still there.
   */
  async save(): Promise<void> {
    const { model } = this.parts;
    const tensors = model.tensors();
    const [bytes, ...values] = await Promise.all([
      encodeCheckpoint(this.parts),
      ...tensors.map((x) => x.data()),
    ]);
    this.saved = { bytes, values: new Map(tensors.map((x, k) => [x, values[k]])) };
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
    const { bytes, values } = this.saved;
    await useDevice(device);
    const home = currentDevice();
    for (const x of model.tensors()) move(x, home, values.get(x) ?? new Float32Array(x.size));
    for (const x of optimizer.remembered) move(x, home, new Float32Array(x.size)); // its values are in the checkpoint
    restoreCheckpoint(bytes, this.parts);
  }
}

interface Saved {
  readonly bytes: Uint8Array;
  /** Of all the model's tensors, of which a checkpoint has parameters and buffers only. */
  readonly values: ReadonlyMap<Tensor, FloatArray>;
}
