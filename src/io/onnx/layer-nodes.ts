/** The ONNX form of each layer, in evaluation. */
import type { Shape } from '../../../kernels/kernel.ts';
import { formatShape, sameShape, sizeOf } from '../../../kernels/shape.ts';
import { LeakyReLU, ReLU, Sigmoid, Softmax, Tanh } from '../../layers/activation.ts';
import { BatchNorm1d } from '../../layers/batchnorm1d.ts';
import { Dense } from '../../layers/dense.ts';
import { Dropout } from '../../layers/dropout.ts';
import { Embedding } from '../../layers/embedding.ts';
import { Flatten } from '../../layers/flatten.ts';
import { computesAs } from '../../layers/hooks.ts';
import { Identity } from '../../layers/identity.ts';
import type { Layer } from '../../layers/layer.ts';
import { Sequential } from '../../layers/sequential.ts';
import { DeviceError, ShapeError, ValueError } from '../../tensor/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { tiny } from '../../tensor/tiny.ts';
import { FormatError } from '../format-error.ts';
import { BEFORE, type Constant, type Graph, type Node } from './graph.ts';

/**
 * The nodes of a model, for examples of a shape.
 *
 * @throws {ValueError} A layer has no ONNX form.
 * @throws {ShapeError} A layer does not take what comes in.
 * @throws {FormatError} float32 cannot hold the ε of a batch normalization.
 * @throws {DeviceError} The model is on `webgpu`, which cannot be read synchronously.
 */
export function graphOf(model: Layer, input: Shape): Graph {
  const nodes: Node[] = [];
  let shape = input;
  for (const [name, layer] of inOrder(model)) {
    const form = formOf(new Place(name, layer, shape));
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

/** The nodes of a layer, and the shape of a row of its output. */
interface Form {
  readonly nodes: readonly Node[];
  readonly output: Shape;
}

/** Where a layer is in the model. */
class Place {
  /** Its name, such as `1.0`; empty if the model is this layer. */
  readonly name: string;
  readonly layer: Layer;
  /** The shape of the examples that come in. */
  readonly shape: Shape;

  constructor(name: string, layer: Layer, shape: Shape) {
    this.name = name;
    this.layer = layer;
    this.shape = shape;
  }

  node(op: string, constants: readonly Constant[] = [], attributes: Node['attributes'] = {}): Node {
    return { layer: this.name, op, inputs: [BEFORE, ...constants], attributes };
  }

  constant(key: string, x: Tensor): Constant {
    return { name: this.nameOf(key), shape: x.shape, data: read(x) };
  }

  /** A constant [n] of equal values. */
  filled(key: string, value: number, n: number): Constant {
    return { name: this.nameOf(key), shape: [n], data: new Float32Array(n).fill(value) };
  }

  private nameOf(key: string): string {
    return this.name === '' ? key : `${this.name}.${key}`;
  }

  /** How error messages name the layer. */
  toString(): string {
    const which = this.name === '' ? 'the model' : `layer ${this.name}`;
    return `${which}, ${this.layer.toString()},`;
  }

  misfit(takes: string): ShapeError {
    const problem = `${this.toString()} takes examples of shape ${takes}, not ${formatShape(this.shape)}`;
    const hint = 'input is the shape of one example, without the axis of the batch';
    return new ShapeError('toOnnx', problem, hint);
  }
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
  rule(Embedding, ({ weight }, place) => {
    const toIndices = place.node('Cast', [], { to: { int: INT64 } });
    const gather: Node = { ...place.node('Gather'), inputs: [place.constant('weight', weight), BEFORE] };
    return { nodes: [toIndices, gather], output: [...place.shape, weight.shape[1]] };
  }),
];

/** The number of the element type int64. */
const INT64 = 7;

function batchNormForm(
  { features, eps, gamma, beta, runningMean, runningVar }: BatchNorm1d,
  place: Place,
): Form {
  const { shape } = place;
  if (shape[0] !== features || shape.length > 2) throw place.misfit(`[${features}] or [${features}, L]`);
  if (runningMean === null || runningVar === null) {
    const problem = `${place.toString()} has no running statistics, which ONNX normalizes with`;
    throw new ValueError('toOnnx', problem, 'make it with trackRunningStats: true');
  }
  if (eps < tiny.float32) {
    const problem = `${place.toString()} has eps ${eps}, which float32 cannot hold`;
    throw new FormatError('toOnnx', problem, 'the file is float32: use a larger eps');
  }
  const constants = [
    gamma === null ? place.filled('weight', 1, features) : place.constant('weight', gamma),
    beta === null ? place.filled('bias', 0, features) : place.constant('bias', beta),
    place.constant('running_mean', runningMean),
    place.constant('running_var', runningVar),
  ];
  return { nodes: [place.node('BatchNormalization', constants, { epsilon: { float: eps } })], output: shape };
}

function formOf(place: Place): Form {
  for (const form of rules) {
    const found = form(place);
    if (found !== null) return found;
  }
  const hint =
    'use Dense, BatchNorm1d, Embedding, activations, Dropout, Flatten and Identity, in a Sequential';
  throw new ValueError('toOnnx', `${place.toString()} has no ONNX form`, hint);
}

function read(x: Tensor): Constant['data'] {
  try {
    return x.dataSync();
  } catch (cause) {
    if (!(cause instanceof DeviceError)) throw cause;
    const hint =
      'copy the model to wasm first: restoreCheckpoint(await encodeCheckpoint({ model }), { model: copy })';
    throw new DeviceError('toOnnx', cause.problem, hint, { cause });
  }
}
