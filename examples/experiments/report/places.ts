/** What a layer is called in the report: what it is, and after which dense layer it stands. */
import { BatchNorm1d, Dense, type Layer, LeakyReLU, ReLU, Sigmoid, Tanh } from '../../../src/index.ts';

export type LayerKind = 'dense' | 'batch norm' | 'activation' | 'other';

export function kindOf(layer: Layer): LayerKind {
  if (layer instanceof Dense) return 'dense';
  if (layer instanceof BatchNorm1d) return 'batch norm';
  return [ReLU, LeakyReLU, Sigmoid, Tanh].some((activation) => layer instanceof activation)
    ? 'activation'
    : 'other';
}

const names: Record<LayerKind, string> = {
  dense: 'dense layer',
  'batch norm': 'batch normalization',
  activation: 'activation',
  other: 'other layer',
};

/** `dense`: how many dense layers there are up to this one, itself included. */
export function placeName(kind: LayerKind, dense: number): string {
  if (kind === 'dense') return `${names.dense} ${dense}`;
  return dense === 0 ? `${names[kind]} of the input` : `${names[kind]} after dense layer ${dense}`;
}
