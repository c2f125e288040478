/** The lab's networks over sequences. A sequence is the rows of an image, from top to bottom: [N, steps·28]. */
import {
  BatchNorm1d,
  bmm,
  concat,
  Dense,
  glorotNormal,
  Identity,
  Layer,
  LayerNorm,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '../../../src/index.ts';

/** The length of a row, and the number of rows of an image. */
export const ROW = 28;
export const STEPS = 28;
/** The number of units of a state of the recurrent network, and of each position of self-attention. */
const WIDTH = 32;

export const sequenceNets = ['recurrent', 'attention'] as const;
export type SequenceNet = (typeof sequenceNets)[number];

/** Batch normalization with one layer for all steps, or one layer per step; or layer normalization. */
export const sequenceNorms = ['none', 'shared', 'per step', 'layer'] as const;
export type SequenceNorm = (typeof sequenceNorms)[number];

export function sequenceNetwork(net: SequenceNet, norm: SequenceNorm): Layer {
  return net === 'recurrent' ? new Recurrent(norm) : new Attention(norm);
}

function normalizations(norm: SequenceNorm): Layer[] {
  if (norm === 'none') return [new Identity()];
  if (norm === 'layer') return [new LayerNorm(WIDTH)];
  return Array.from({ length: norm === 'shared' ? 1 : STEPS }, () => new BatchNorm1d(WIDTH));
}

/** The layer of a step. Steps that come after those of the training use the last one. */
function layerOf(step: number, layers: readonly Layer[]): Layer {
  return layers[Math.min(step, layers.length - 1)];
}

const dense = (inputs: number, outputs: number): Dense => new Dense(inputs, outputs, { init: glorotNormal });

/** h ← tanh(norm([row, h]·W + b)) for each row. The last h is classified. */
class Recurrent extends Layer {
  private readonly cell = this.addLayer('cell', dense(ROW + WIDTH, WIDTH));
  private readonly output = this.addLayer('output', dense(WIDTH, 10));
  private readonly norms: readonly Layer[];

  constructor(norm: SequenceNorm) {
    super();
    this.norms = normalizations(norm).map((layer, step) => this.addLayer(`norm${step}`, layer));
  }

  override forward(x: Tensor): Tensor {
    const [n, size] = x.shape;
    let h = zeros([n, WIDTH]);
    for (let step = 0; step < size / ROW; step++) {
      const row = x.slice([0, step * ROW], [n, (step + 1) * ROW]);
      const z = this.cell.forward(concat([row, h], 1));
      h = layerOf(step, this.norms).forward(z).tanh();
    }
    return this.output.forward(h);
  }
}

/**
 * One block of self-attention with one head, as in Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762), over the rows
 * with their positions; then the mean over the positions is classified:
 *
 *     x ← norm(x + softmax(Q·Kᵀ/√d)·V)    Q, K, V = x·W + b
 *     x ← norm(x + relu(x·W₁ + b₁)·W₂ + b₂)
 */
class Attention extends Layer {
  private readonly embedding = this.addLayer('embedding', dense(ROW, WIDTH));
  private readonly query = this.addLayer('query', dense(WIDTH, WIDTH));
  private readonly key = this.addLayer('key', dense(WIDTH, WIDTH));
  private readonly value = this.addLayer('value', dense(WIDTH, WIDTH));
  private readonly first = this.addLayer('first', dense(WIDTH, 2 * WIDTH));
  private readonly second = this.addLayer('second', dense(2 * WIDTH, WIDTH));
  private readonly output = this.addLayer('output', dense(WIDTH, 10));
  private readonly norms: readonly (readonly Layer[])[];

  constructor(norm: SequenceNorm) {
    super();
    this.norms = ['after attention', 'after dense'].map((place) =>
      normalizations(norm).map((layer, step) => this.addLayer(`norm ${place} ${step}`, layer)),
    );
  }

  override forward(x: Tensor): Tensor {
    const [n, size] = x.shape;
    const steps = size / ROW;
    const stacked = (rows: Tensor): Tensor => rows.reshape([n, steps, WIDTH]);
    const inRows = (matrices: Tensor): Tensor => matrices.reshape([n * steps, WIDTH]);
    const [afterAttention, afterDense] = this.norms;

    const rows = this.embedding.forward(x.reshape([n * steps, ROW]));
    const input = inRows(stacked(rows).add(positions(steps)));
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => stacked(layer.forward(input)));
    const weights = bmm(q, k.transpose()).div(Math.sqrt(WIDTH)).softmax(2);
    const attended = normalized(inRows(stacked(input).add(bmm(weights, v))), steps, afterAttention);
    const hidden = this.second.forward(this.first.forward(attended).relu());
    return this.output.forward(stacked(normalized(attended.add(hidden), steps, afterDense)).mean(1));
  }
}

/** Normalizes x [N·steps, C]: all rows at once with one layer, or the rows of each step with its own. */
function normalized(x: Tensor, steps: number, layers: readonly Layer[]): Tensor {
  if (layers.length === 1) return layers[0].forward(x);
  const [n, C] = [x.shape[0] / steps, x.shape[1]];
  const sequences = x.reshape([n, steps, C]);
  const parts = Array.from({ length: steps }, (_, step) => {
    const rows = sequences.slice([0, step], [n, step + 1]).reshape([n, C]);
    return layerOf(step, layers).forward(rows);
  });
  return stack(parts, 1).reshape(x.shape);
}

/** Sines and cosines of the position with periods from 2π to 20,000π, as in Vaswani et al. 2017: [steps, WIDTH]. */
function positions(steps: number): Tensor {
  const values = Array.from({ length: steps * WIDTH }, (_, i) => {
    const [step, unit] = [Math.floor(i / WIDTH), i % WIDTH];
    const angle = step / 10_000 ** ((unit - (unit % 2)) / WIDTH);
    return unit % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  return tensor(values, { shape: [steps, WIDTH] });
}
