/** The ONNX form of each layer, in evaluation. */
import type { Shape } from '../../../kernels/kernel.ts';
import { sameShape, sizeOf } from '../../../kernels/shape.ts';
import { LeakyReLU, ReLU } from '../../layers/activation.ts';
import { BatchNorm1d } from '../../layers/batchnorm1d.ts';
import { Sigmoid, Softmax, Tanh } from '../../layers/bounded-activations.ts';
import { Dense } from '../../layers/dense.ts';
import { Dropout } from '../../layers/dropout.ts';
import { Embedding } from '../../layers/embedding.ts';
import { Flatten } from '../../layers/flatten.ts';
import { GroupNorm } from '../../layers/groupnorm.ts';
import { computesAs } from '../../layers/hooks.ts';
import { Identity } from '../../layers/identity.ts';
import type { Layer } from '../../layers/layer.ts';
import { LayerNorm } from '../../layers/layernorm.ts';
import { Sequential } from '../../layers/sequential.ts';
import { ValueError } from '../../tensor/errors.ts';
import { BEFORE, type Graph, INT64, type Node } from './graph.ts';
import { batchNormForm, groupNormForm, layerNormForm } from './norm-nodes.ts';
import { type Form, Place } from './place.ts';

/**
 * The nodes of a model, for examples of a shape and a version of the operators.
 *
 * @throws {ValueError} A layer has no ONNX form.
 * @throws {ShapeError} A layer does not take what comes in.
 * @throws {FormatError} float32 cannot hold the ε of a normalization.
 * @throws {DeviceError} The model is on `webgpu`, which cannot be read synchronously.
 */
export function graphOf(model: Layer, input: Shape, opset: number): Graph {
  const nodes: Node[] = [];
  let shape = input;
  for (const [name, layer] of inOrder(model)) {
    const form = formOf(new Place(name, layer, shape, opset));
    nodes.push(...form.nodes);
    shape = form.output;
  }
  return { nodes, input, output: shape };
}

/** The layers of a model in the order in which they are applied; a `Sequential` is replaced by its layers. */
function inOrder(layer: Layer, name = ''): [name: string, layer: Layer][] {
  if (!computesAs(layer, Sequential)) return [[name, layer]];
  return layer.layers.flatMap((inner, k) => inOrder(inner, name === '' ? String(k) : `${name}.${k}`));
}

type Rule = (place: Place) => Form | null;

/** The form of the layers of a class, and of subclasses that inherit `forward`. */
function rule<L extends Layer>(
  kind: (abstract new (...args: never[]) => L) & { readonly prototype: L },
  form: (layer: L, place: Place) => Form,
): Rule {
  return (place) => (computesAs(place.layer, kind) ? form(place.layer, place) : null);
}

/** A layer that ends in an operator and keeps the shape. */
const elementwise =
  (op: string) =>
  (_: Layer, place: Place): Form => ({ nodes: [place.node(op)], output: place.shape });

const leftOut = (_: Layer, { shape }: Place): Form => ({ nodes: [], output: shape });

const rules: readonly Rule[] = [
  rule(Identity, leftOut),
  rule(Dropout, leftOut),
  rule(ReLU, elementwise('Relu')),
  rule(Sigmoid, elementwise('Sigmoid')),
  rule(Tanh, elementwise('Tanh')),
  rule(LeakyReLU, ({ slope }, place) => ({
    nodes: [place.node('LeakyRelu', [], { alpha: { float: slope } })],
    output: place.shape,
  })),
  rule(Softmax, (_, place) => ({
    nodes: [place.node('Softmax', [], { axis: { int: -1 } })],
    output: place.shape,
  })),
  rule(Flatten, (_, place) => ({
    nodes: [place.node('Flatten', [], { axis: { int: 1 } })],
    output: [sizeOf(place.shape)],
  })),
  rule(Dense, ({ weight, bias }, place) => {
    const [inFeatures, outFeatures] = weight.shape;
    if (!sameShape(place.shape, [inFeatures])) throw place.misfit(`[${inFeatures}]`);
    const constants = [
      place.constant('weight', weight),
      ...(bias === null ? [] : [place.constant('bias', bias)]),
    ];
    return { nodes: [place.node('Gemm', constants)], output: [outFeatures] };
  }),
  rule(BatchNorm1d, batchNormForm),
  rule(LayerNorm, layerNormForm),
  rule(GroupNorm, groupNormForm),
  rule(Embedding, ({ weight }, place) => {
    const toIndices = place.node('Cast', [], { to: { int: INT64 } });
    const gather: Node = { ...place.node('Gather'), inputs: [place.constant('weight', weight), BEFORE] };
    return { nodes: [toIndices, gather], output: [...place.shape, weight.shape[1]] };
  }),
];

function formOf(place: Place): Form {
  for (const form of rules) {
    const found = form(place);
    if (found !== null) return found;
  }
  const hint =
    'use Dense, BatchNorm1d, LayerNorm, GroupNorm, Embedding, activations, Dropout, Flatten and Identity, in a Sequential';
  throw new ValueError('toOnnx', `${place.toString()} has no ONNX form`, hint);
}
