/** The ONNX forms of the normalizations, in evaluation. */
import { sizeOf } from '../../../kernels/shape.ts';
import type { BatchNorm1d } from '../../layers/batchnorm1d.ts';
import type { GroupNorm } from '../../layers/groupnorm.ts';
import type { LayerNorm } from '../../layers/layernorm.ts';
import { ValueError } from '../../tensor/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { tiny } from '../../tensor/tiny.ts';
import { FormatError } from '../format-error.ts';
import type { Node } from './graph.ts';
import type { Form, Place } from './place.ts';

export function batchNormForm(
  { features, eps, gamma, beta, runningMean, runningVar }: BatchNorm1d,
  place: Place,
): Form {
  const { shape } = place;
  if (shape[0] !== features || shape.length > 2) throw place.misfit(`[${features}] or [${features}, L]`);
  if (runningMean === null || runningVar === null) {
    const problem = `${place.toString()} has no running statistics, which ONNX normalizes with`;
    throw new ValueError('toOnnx', problem, 'make it with trackRunningStats: true');
  }
  const constants = [
    gamma === null ? place.filled('weight', 1, features) : place.constant('weight', gamma),
    beta === null ? place.filled('bias', 0, features) : place.constant('bias', beta),
    place.constant('running_mean', runningMean),
    place.constant('running_var', runningVar),
  ];
  return { nodes: [place.node('BatchNormalization', constants, epsilon(eps, place))], output: shape };
}

/** ONNX has the operator since version 17. In older versions, each row of an example is normalized as a group. */
export function layerNormForm({ features, eps, gamma, beta }: LayerNorm, place: Place): Form {
  const { shape, opset } = place;
  if (shape.at(-1) !== features) throw place.misfit(`[..., ${features}]`);
  if (opset < 17) {
    const rows = sizeOf(shape.slice(0, -1));
    const nodes = [
      ...normalizeGroups(place, rows, features, eps),
      ...scaleAndShift(place, gamma, beta, [features]),
    ];
    return { nodes, output: shape };
  }
  const constants = [
    gamma === null ? place.filled('weight', 1, features) : place.constant('weight', gamma),
    beta === null ? place.filled('bias', 0, features) : place.constant('bias', beta),
  ];
  const attributes = { axis: { int: -1 }, ...epsilon(eps, place) };
  return { nodes: [place.node('LayerNormalization', constants, attributes)], output: shape };
}

/** ONNX's GroupNormalization has γ per group in version 18 and per channel in version 21, so it is not used. */
export function groupNormForm({ groups, channels, eps, gamma, beta }: GroupNorm, place: Place): Form {
  const { shape } = place;
  if (shape[0] !== channels) throw place.misfit(`[${channels}] or [${channels}, …]`);
  const size = sizeOf(shape) / groups;
  const perChannel = [channels, ...shape.slice(1).map(() => 1)];
  const nodes = [
    ...normalizeGroups(place, groups, size, eps),
    ...scaleAndShift(place, gamma, beta, perChannel),
  ];
  return { nodes: size === 0 ? [] : nodes, output: shape };
}

/** Normalizes groups of values of each example. InstanceNormalization does so for each channel of x [N, groups, size]. */
function normalizeGroups(place: Place, groups: number, size: number, eps: number): readonly Node[] {
  const [ones, zeros] = [place.filled('one', 1, groups), place.filled('zero', 0, groups)];
  return [
    place.reshape('groups', [groups, size]),
    place.node('InstanceNormalization', [ones, zeros], epsilon(eps, place)),
    place.reshape('shape', place.shape),
  ];
}

/** y = γ·x + β, with γ and β of a shape that broadcasts. Nothing if there are none. */
function scaleAndShift(
  place: Place,
  gamma: Tensor | null,
  beta: Tensor | null,
  shape: readonly number[],
): readonly Node[] {
  if (gamma === null || beta === null) return [];
  return [
    place.node('Mul', [{ ...place.constant('weight', gamma), shape }]),
    place.node('Add', [{ ...place.constant('bias', beta), shape }]),
  ];
}

/** The attribute ε. */
function epsilon(eps: number, place: Place): { readonly epsilon: { readonly float: number } } {
  if (eps >= tiny.float32) return { epsilon: { float: eps } };
  const problem = `${place.toString()} has eps ${eps}, which float32 cannot hold`;
  throw new FormatError('toOnnx', problem, 'the file is float32: use a larger eps');
}
