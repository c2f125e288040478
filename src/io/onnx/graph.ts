/** A network as a chain of ONNX's operators: what `layer-nodes.ts` makes, `fold.ts` shortens and `protobuf.ts` writes. */
import type { FloatArray, Shape } from '../../../kernels/kernel.ts';

/** A constant input of an operator, such as a weight. */
export interface Constant {
  /** Its key in the state dict, such as `0.weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly data: FloatArray;
}

/** Stands for the output of the node before, or the input of the graph. */
export const BEFORE = 'before';

/** An operator with one output. */
export interface Node {
  /** The layer that it comes from, such as `0`; empty if the model is a single layer. */
  readonly layer: string;
  /** The operator's name in ONNX. */
  readonly op: string;
  readonly inputs: readonly (Constant | typeof BEFORE)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Integers and floats are different types of attributes. */
export type Attribute = { readonly int: number } | { readonly float: number };

/** A network that is applied to a batch of N examples. */
export interface Graph {
  readonly nodes: readonly Node[];
  /** The shape of one example. */
  readonly input: Shape;
  /** The shape of one row of the output. */
  readonly output: Shape;
}
