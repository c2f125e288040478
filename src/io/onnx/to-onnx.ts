/** Models as ONNX files. */
import type { Shape } from '../../../kernels/kernel.ts';
import { expectLayer } from '../../layers/expect-layer.ts';
import type { Layer } from '../../layers/layer.ts';
import { expectBoolean, expectInteger, expectNumber, expectOptions } from '../../tensor/errors.ts';
import { expectShape } from '../../tensor/indexing.ts';
import { warnOfNaN } from '../weights.ts';
import { fold as foldNodes } from './fold.ts';
import { BEFORE, constantsOf, type Graph } from './graph.ts';
import { graphOf } from './layer-nodes.ts';
import { encodeGraph } from './protobuf.ts';

export interface ToOnnxOptions {
  /** The shape of one example: `[784]`, or `[1, 28, 28]` in front of a `Flatten`. */
  readonly input: Shape;
  /**
   * Whether to fold each batch normalization into the `Dense` layer before it, or else the one after it. The file is then
   * smaller and runs faster, and the last bits of the outputs differ. Default false.
   */
  readonly fold?: boolean;
  /**
   * The version of ONNX's operators, from 13 to 21. Use a lower one for older programs. `LayerNorm` is one operator from
   * 17 on, and several before; the other layers have the same form in all versions. Default 17.
   */
  readonly opset?: number;
}

/** The first and the last version of the operators in which those used here have this form. */
const FIRST = 13;
const LAST = 21;

/**
 * Returns a model as the bytes of an ONNX file, which ONNX Runtime and other programs run. The graph computes what the model
 * computes in evaluation, in float32: from the input `x` [N, ...input] it computes the output `y`, for any batch size N.
 * The model itself does not change.
 *
 * `Dense`, `BatchNorm1d`, `LayerNorm`, `GroupNorm`, `ReLU`, `LeakyReLU`, `Sigmoid`, `Tanh`, `Softmax`, `Flatten` and
 * `Embedding` have a form, in a `Sequential` or alone; `Dropout` and `Identity` are left out. The names of weights are the
 * keys of the state dict. An `Embedding` rounds indices that are no integers toward 0.
 *
 * The format's version is the lowest one for the operators: IR 7 up to opset 14, 8 up to 18, 9 up to 20, 10 for 21. A
 * warning counts the weights that are NaN, if there are any.
 *
 * @throws {ValueError} The model is not a layer; a layer, which the message names, has no ONNX form; an option is unknown
 *   or out of its range.
 * @throws {ShapeError} A layer, which the message names, does not take what it gets for this input.
 * @throws {FormatError} A float64 weight, which the message names, has a value that float32 cannot hold; or the file would
 *   have 2 GiB or more.
 * @throws {DeviceError} The model is on `webgpu`, which cannot be read synchronously.
 * @see https://onnx.ai/onnx/operators/
 * @example
 * ```ts
 * import { BatchNorm1d, Dense, ReLU, Sequential } from 'gammabeta';
 * import { toOnnx } from 'gammabeta/onnx';
 *
 * const model = new Sequential(new Dense(784, 10, { bias: false }), new BatchNorm1d(10), new ReLU());
 * const bytes = toOnnx(model, { input: [784], fold: true });
 * console.log(bytes.length > 4 * 784 * 10); // true
 *
 * // In a page or in Node, with the package onnxruntime-web:
 * // const session = await ort.InferenceSession.create(bytes);
 * // const { y } = await session.run({ x: new ort.Tensor('float32', pixels, [n, 784]) });
 * ```
 */
export function toOnnx(model: Layer, options: ToOnnxOptions): Uint8Array<ArrayBuffer> {
  expectLayer('toOnnx', model);
  expectOptions('toOnnx', options, ['input', 'fold', 'opset']);
  const { input, fold = false, opset = 17 } = options;
  expectShape('toOnnx', input);
  expectBoolean('toOnnx', 'fold', fold);
  expectNumber('toOnnx', 'opset', expectInteger('toOnnx', 'opset', opset, FIRST), { from: FIRST, to: LAST });
  const graph = graphOf(model, input, opset);
  const nodes = fold ? foldNodes(graph.nodes) : graph.nodes;
  const bytes = encodeGraph(
    { ...graph, nodes: nodes.length > 0 ? nodes : [identity] },
    { opset, ir: irOf(opset) },
  );
  warnOfNaNs(graph);
  return bytes;
}

/** For a model whose layers are all left out: the output of a graph is that of a node. */
const identity = { name: 'Identity', op: 'Identity', inputs: [BEFORE], attributes: {} } as const;

/** The lowest version of the format that has an opset: https://github.com/onnx/onnx/blob/main/docs/Versioning.md. */
function irOf(opset: number): number {
  if (opset < 15) return 7;
  if (opset < 19) return 8;
  return opset < 21 ? 9 : 10;
}

function warnOfNaNs({ nodes }: Graph): void {
  const constants = nodes.flatMap(constantsOf);
  warnOfNaN(
    'toOnnx',
    constants.map(({ name }) => name),
    constants.map(({ data }) => data),
  );
}
