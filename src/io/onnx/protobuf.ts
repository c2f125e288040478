/**
 * Writes a graph as the bytes of an ONNX file: messages of protocol buffers, whose fields are numbered in
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
import { PbfWriter } from 'pbf';
import type { Shape } from '../../../kernels/kernel.ts';
import { bytesOf } from '../element-type.ts';
import { FormatError } from '../format-error.ts';
import {
  type Attribute,
  BEFORE,
  type Constant,
  type Graph,
  INT64,
  type Integers,
  type Node,
} from './graph.ts';

/** The types of tensors and attributes, by their numbers in the format. */
const FLOAT = 1;
const FLOAT_ATTRIBUTE = 1;
const INT_ATTRIBUTE = 2;

/** The largest message that readers of protocol buffers take, in bytes. */
const LARGEST = 2 ** 31 - 1;

/** The versions of the operators and of the format. */
export interface Versions {
  readonly opset: number;
  readonly ir: number;
}

/** The names of the input and the output of the graph. */
const INPUT = 'x';
const OUTPUT = 'y';

/**
 * @throws {FormatError} float32 cannot hold a value, or the file would be larger than readers of protocol buffers take.
 */
export function encodeGraph(graph: Graph, versions: Versions): Uint8Array<ArrayBuffer> {
  const weights = storedIn(graph).reduce((sum, x) => sum + ('data' in x ? 4 * x.data.length : 0), 0);
  if (weights > LARGEST) {
    const problem = `the weights have ${weights} bytes, and an ONNX file has fewer than 2³¹`;
    throw new FormatError('toOnnx', problem, 'export parts of the model one by one');
  }
  const pbf = new PbfWriter();
  writeModel({ graph, versions }, pbf);
  return new Uint8Array(pbf.finish());
}

function writeModel({ graph, versions }: { graph: Graph; versions: Versions }, pbf: PbfWriter): void {
  pbf.writeVarintField(1, versions.ir);
  pbf.writeStringField(2, 'gammabeta');
  pbf.writeMessage(7, writeGraph, graph);
  pbf.writeMessage(8, writeOpset, versions.opset);
}

function writeOpset(version: number, pbf: PbfWriter): void {
  pbf.writeStringField(1, ''); // ONNX's own operators
  pbf.writeVarintField(2, version);
}

function writeGraph(graph: Graph, pbf: PbfWriter): void {
  const last = graph.nodes.length - 1;
  let before = INPUT;
  graph.nodes.forEach((node, k) => {
    const output = k === last ? OUTPUT : `${k}.${node.op}`;
    pbf.writeMessage(1, writeNode, { node, before, output });
    before = output;
  });
  pbf.writeStringField(2, 'model');
  for (const constant of storedIn(graph)) pbf.writeMessage(5, writeConstant, constant);
  pbf.writeMessage(11, writeValue, { name: INPUT, shape: graph.input });
  pbf.writeMessage(12, writeValue, { name: OUTPUT, shape: graph.output });
}

function storedIn({ nodes }: Graph): readonly (Constant | Integers)[] {
  return nodes.flatMap(({ inputs }) => inputs.filter((input) => input !== BEFORE));
}

interface PlacedNode {
  readonly node: Node;
  /** The name of the output of the node before. */
  readonly before: string;
  readonly output: string;
}

function writeNode({ node, before, output }: PlacedNode, pbf: PbfWriter): void {
  for (const input of node.inputs) pbf.writeStringField(1, input === BEFORE ? before : input.name);
  pbf.writeStringField(2, output);
  pbf.writeStringField(3, node.name);
  pbf.writeStringField(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    pbf.writeMessage(5, writeAttribute, { name, value });
  }
}

function writeAttribute({ name, value }: { name: string; value: Attribute }, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if ('float' in value) pbf.writeFloatField(2, value.float);
  else pbf.writeVarintField(3, value.int);
  pbf.writeVarintField(20, 'float' in value ? FLOAT_ATTRIBUTE : INT_ATTRIBUTE);
}

function writeConstant(constant: Constant | Integers, pbf: PbfWriter): void {
  const { name } = constant;
  const isFloat = 'data' in constant;
  pbf.writePackedVarint(1, isFloat ? [...constant.shape] : [constant.integers.length]);
  pbf.writeVarintField(2, isFloat ? FLOAT : INT64);
  pbf.writeStringField(8, name);
  const bytes = isFloat
    ? bytesOf('F32', float32(name, constant.data))
    : bytesOf('I64', BigInt64Array.from(constant.integers, BigInt));
  pbf.writeBytesField(9, bytes);
}

/** The input or the output of the graph: float32 [N, …shape]. */
function writeValue({ name, shape }: { name: string; shape: Shape }, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, writeType, shape);
}

function writeType(shape: Shape, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, shape);
}

function writeTensorType(shape: Shape, pbf: PbfWriter): void {
  pbf.writeVarintField(1, FLOAT);
  pbf.writeMessage(2, writeShape, shape);
}

function writeShape(shape: Shape, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeExtent, 'N');
  for (const extent of shape) pbf.writeMessage(1, writeExtent, extent);
}

/** An extent, or the name of one that each run chooses. */
function writeExtent(extent: number | string, pbf: PbfWriter): void {
  if (typeof extent === 'string') pbf.writeStringField(2, extent);
  else pbf.writeVarintField(1, extent);
}

/** The values rounded to float32. */
function float32(name: string, data: Constant['data']): Float32Array {
  if (data instanceof Float32Array) return data;
  const rounded = Float32Array.from(data);
  const at = data.findIndex((value, i) => Number.isFinite(value) && !Number.isFinite(rounded[i]));
  if (at < 0) return rounded;
  const problem = `${name} has the value ${data[at]}, which float32 cannot hold`;
  throw new FormatError(
    'toOnnx',
    problem,
    'the file is float32, whose range ends at ±3.4e38: scale the weights',
  );
}
