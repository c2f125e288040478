/**
 * The loss of a dataset, for a loss function of the user's own. How the losses of its batches combine is not known: it
 * may return a mean, a sum, a root, or add terms that count differently. So it is computed once more, from the outputs
 * and the labels of all batches.
 */
import type { FloatArray, NumericArray, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Batch } from '../data/loader.ts';
import { tensor } from '../tensor/create.ts';
import type { DType } from '../tensor/device/device.ts';
import { composite } from '../tensor/op.ts';
import { noGrad } from '../tensor/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import { expectSingleValue, type Loss } from './batches.ts';
import type { Compute } from './snapshot.ts';

interface Part {
  readonly output: Pick<Tensor, 'shape' | 'dtype' | 'home'>;
  readonly values: FloatArray;
  readonly labels: NumericArray;
}

/** The relative difference that rounding explains. */
const ROUNDING: Readonly<Record<DType, number>> = { float32: 1e-5, float64: 1e-12 };

/** The outputs and the labels of the batches so far. */
export class WholeLoss {
  private readonly parts: Part[] = [];

  add(output: Tensor, values: FloatArray, { labels }: Pick<Batch, 'labels'>): void {
    const { shape, dtype, home } = output; // without the tensor, whose memory is freed
    this.parts.push({ output: { shape, dtype, home }, values, labels });
  }

  /**
   * The loss of all examples in one batch.
   *
   * @param mean The mean of the losses of the batches, which is the result if both differ by rounding only; also, with a
   *   warning, if the loss function cannot take all examples.
   */
  async value(loss: Loss, mean: number, compute: Compute): Promise<number> {
    const { parts } = this;
    if (parts.length < 2) return mean;
    const [{ output }] = parts;
    try {
      const [whole] = await compute(() => lossOf(loss, parts));
      const isRounding =
        Math.abs(whole - mean) <= ROUNDING[output.dtype] * Math.max(Math.abs(whole), Math.abs(mean));
      return isRounding ? mean : whole;
    } catch (error) {
      console.warn(
        `evaluate: the loss function cannot take the outputs for all ${rowsOf(parts)} examples at once (${String(error)}), ` +
          'so the loss is the mean over the batches, weighted by their rows. It may depend on the batch size.',
      );
      return mean;
    }
  }
}

const lossOf: (loss: Loss, parts: readonly Part[]) => Promise<FloatArray> = composite((loss, parts) => {
  const [{ output }] = parts;
  const shape: Shape = [rowsOf(parts), ...output.shape.slice(1)];
  const values = new Float64Array(sizeOf(shape));
  const labels = new globalThis[parts[0].labels[Symbol.toStringTag]](
    parts.reduce((n, part) => n + part.labels.length, 0),
  );
  let [value, label] = [0, 0];
  for (const part of parts) {
    values.set(part.values, value);
    labels.set(part.labels, label);
    value += part.values.length;
    label += part.labels.length;
  }
  const all = tensor(values, { shape, dtype: output.dtype, device: output.home });
  const error = noGrad(() => callUser(loss, all, labels));
  expectSingleValue('evaluate', error);
  return error.data();
});

function rowsOf(parts: readonly Part[]): number {
  return parts.reduce((n, { output }) => n + (output.shape.at(0) ?? 0), 0);
}
