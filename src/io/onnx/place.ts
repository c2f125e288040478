/** A layer at its place in a network, from which its ONNX form is made. */
import type { Shape } from '../../../kernels/kernel.ts';
import { formatShape } from '../../../kernels/shape.ts';
import type { Layer } from '../../layers/layer.ts';
import { DeviceError, ShapeError } from '../../tensor/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { BEFORE, type Constant, type Integers, type Node } from './graph.ts';

/** The nodes of a layer, and the shape of a row of its output. */
export interface Form {
  readonly nodes: readonly Node[];
  readonly output: Shape;
}

/** Where a layer is in the model. */
export class Place {
  /** Its name, such as `1.0`; empty if the model is this layer. */
  readonly name: string;
  readonly layer: Layer;
  /** The shape of the examples that come in. */
  readonly shape: Shape;
  /** The version of the operators. */
  readonly opset: number;

  constructor(name: string, layer: Layer, shape: Shape, opset: number) {
    this.name = name;
    this.layer = layer;
    this.shape = shape;
    this.opset = opset;
  }

  node(
    op: string,
    constants: readonly (Constant | Integers)[] = [],
    attributes: Node['attributes'] = {},
  ): Node {
    return { name: this.nameOf(op), op, inputs: [BEFORE, ...constants], attributes };
  }

  constant(key: string, x: Tensor): Constant {
    return { name: this.nameOf(key), shape: x.shape, data: read(x) };
  }

  /** A constant [n] of equal values. */
  filled(key: string, value: number, n: number): Constant {
    return { name: this.nameOf(key), shape: [n], data: new Float32Array(n).fill(value) };
  }

  /** Reshapes to [N, …shape]. */
  reshape(key: string, shape: Shape): Node {
    const extents = { name: this.nameOf(key), integers: [0, ...shape] }; // 0 keeps the extent
    return { ...this.node('Reshape', [extents]), name: this.nameOf(`Reshape.${key}`) };
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
