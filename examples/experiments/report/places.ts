/** The names of layers in the report: their kind, and the dense layer before them. */
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

/** @param dense The number of dense layers up to this layer, including it. */
export function placeName(kind: LayerKind, dense: number): string {
  if (kind === 'dense') return `${names.dense} ${dense}`;
  return dense === 0 ? `${names[kind]} of the input` : `${names[kind]} after dense layer ${dense}`;
}
