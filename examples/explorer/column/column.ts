/** Batch normalization of one column, in float64 on the device `cpu`: each number is computed by the library. */
import { BatchNorm1d, type Tensor, tensor } from '../../../src/index.ts';

/** A batch of m values, the gradient of the loss with respect to y, and the parameters. */
export interface Inputs {
  readonly x: readonly number[];
  /** g[i] = ∂loss/∂y[i]. */
  readonly g: readonly number[];
  readonly gamma: number;
  readonly beta: number;
  readonly eps: number;
}

export interface Column extends Inputs {
  readonly mean: number;
  /** x − mean. */
  readonly centered: readonly number[];
  /** Biased. */
  readonly variance: number;
  readonly rstd: number;
  readonly xhat: readonly number[];
  readonly y: readonly number[];
  readonly dbeta: number;
  readonly dgamma: number;
  readonly dx: readonly number[];
}

const float64 = { dtype: 'float64' } as const;

/** A column as a batch with one feature: [m, 1]. */
export function columnOf(values: readonly number[], requiresGrad = false): Tensor {
  return tensor(values, { ...float64, shape: [values.length, 1], requiresGrad });
}

export const numbersOf = (values: Tensor | null | undefined): number[] =>
  values ? Array.from(values.dataSync()) : [];

/** The layer of the library, with given γ and β. */
export function layerOf({ gamma, beta, eps }: Omit<Inputs, 'x' | 'g'>): BatchNorm1d {
  const layer = new BatchNorm1d(1, { ...float64, eps, trackRunningStats: false });
  layer.loadStateDict({ weight: tensor([gamma], float64), bias: tensor([beta], float64) });
  return layer;
}

/** Forward and backward. */
export function column(inputs: Inputs): Column {
  const { x, g, eps } = inputs;
  const batch = columnOf(x, true);
  const layer = layerOf(inputs);
  const y = layer.forward(batch);
  y.backward(columnOf(g));
  const values = batch.detach();
  const mean = values.mean(0);
  const variance = values.variance(0);
  const plain = new BatchNorm1d(1, { ...float64, eps, affine: false, trackRunningStats: false });
  return {
    ...inputs,
    mean: mean.item(),
    centered: numbersOf(values.sub(mean)),
    variance: variance.item(),
    rstd: variance.add(eps).pow(-0.5).item(),
    xhat: numbersOf(plain.forward(values)),
    y: numbersOf(y),
    dbeta: layer.beta?.grad?.item() ?? 0,
    dgamma: layer.gamma?.grad?.item() ?? 0,
    dx: numbersOf(batch.grad),
  };
}
