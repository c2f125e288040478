/** A network as a chain of ONNX's operators: what `layer-nodes.ts` makes, `fold.ts` shortens and `protobuf.ts` writes. */
import type { FloatArray, Shape } from '../../../kernels/kernel.ts';

/** A constant input of an operator, such as a weight. */
export interface Constant {
  /** Its key in the state dict, such as `0.weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly data: FloatArray;
}

/** The number of the element type int64 in the format. */
export const INT64 = 7;

/** A constant input of integers, such as a shape. */
export interface Integers {
  readonly name: string;
  readonly integers: readonly number[];
}

/** Stands for the output of the node before, or the input of the graph. */
export const BEFORE = 'before';

/** An operator with one output. */
export interface Node {
  /** Its name in the file, after its layer: `0.Gemm`. No two nodes have the same. */
  readonly name: string;
  /** The operator's name in ONNX. */
  readonly op: string;
  readonly inputs: readonly (Constant | Integers | typeof BEFORE)[];
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

/** The constant inputs that are floats, in order. */
export function constantsOf({ inputs }: Node): readonly Constant[] {
  return inputs.filter((input) => input !== BEFORE && 'data' in input);
}
