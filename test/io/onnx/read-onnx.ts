/**
 * Reads ONNX files, as far as `toOnnx` writes them. The numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
import { PbfReader } from 'pbf';

/** A message: its fields by their numbers, in the order of the file. */
type Message = Map<number, unknown[]>;

/** How to read the fields of a message. */
interface Schema {
  readonly [field: number]: 'int' | 'ints' | 'float' | 'string' | 'bytes' | Schema;
}

const opset: Schema = { 1: 'string', 2: 'int' };
const attribute: Schema = { 1: 'string', 2: 'float', 3: 'int', 20: 'int' };
const node: Schema = { 1: 'string', 2: 'string', 3: 'string', 4: 'string', 5: attribute };
const constant: Schema = { 1: 'ints', 2: 'int', 8: 'string', 9: 'bytes' };
const extent: Schema = { 1: 'int', 2: 'string' };
const value: Schema = { 1: 'string', 2: { 1: { 1: 'int', 2: { 1: extent } } } };
const graph: Schema = { 1: node, 2: 'string', 5: constant, 11: value, 12: value };
const model: Schema = { 1: 'int', 2: 'string', 7: graph, 8: opset };

function readMessage(pbf: PbfReader, schema: Schema, end: number): Message {
  return pbf.readFields(
    (field, message: Message) => {
      const kind = schema[field] as Schema[number] | undefined;
      if (kind === undefined) throw new Error(`an unknown field ${field}`);
      message.set(field, [...(message.get(field) ?? []), readField(pbf, kind)]);
    },
    new Map() as Message,
    end,
  );
}

function readField(pbf: PbfReader, kind: Schema[number]): unknown {
  if (kind === 'int') return pbf.readVarint(true);
  if (kind === 'ints') return pbf.readPackedVarint();
  if (kind === 'float') return pbf.readFloat();
  if (kind === 'string') return pbf.readString();
  if (kind === 'bytes') return pbf.readBytes();
  return readMessage(pbf, kind, pbf.readVarint() + pbf.pos);
}

function all(message: Message, field: number): unknown[] {
  return message.get(field) ?? [];
}

const messages = (message: Message, field: number) => all(message, field) as Message[];
const texts = (message: Message, field: number) => all(message, field) as string[];
const numbers = (message: Message, field: number) => all(message, field) as number[];

/** The contents of a file. */
export interface OnnxFile {
  readonly ir: number;
  readonly producer: string;
  readonly opset: number;
  readonly nodes: readonly {
    readonly op: string;
    readonly name: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes: Readonly<Record<string, number>>;
  }[];
  /** Their shapes. */
  readonly constants: Readonly<Record<string, readonly number[]>>;
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
}

export function readOnnx(bytes: Uint8Array): OnnxFile {
  const file = readMessage(new PbfReader(bytes), model, bytes.length);
  const [inside] = messages(file, 7);
  return {
    ir: numbers(file, 1)[0],
    producer: texts(file, 2)[0],
    opset: numbers(messages(file, 8)[0], 2)[0],
    nodes: messages(inside, 1).map((each) => ({
      op: texts(each, 4)[0],
      name: texts(each, 3)[0],
      inputs: texts(each, 1),
      outputs: texts(each, 2),
      attributes: Object.fromEntries(
        messages(each, 5).map((of) => [
          texts(of, 1)[0],
          numbers(of, numbers(of, 20)[0] === FLOAT ? 2 : 3)[0],
        ]),
      ),
    })),
    constants: Object.fromEntries(
      messages(inside, 5).map((each) => [texts(each, 8)[0], all(each, 1)[0] as number[]]),
    ),
    inputs: Object.fromEntries(messages(inside, 11).map(shapeOf)),
    outputs: Object.fromEntries(messages(inside, 12).map(shapeOf)),
  };
}

/** The type of an attribute that is a float. */
const FLOAT = 1;

function shapeOf(message: Message): [name: string, shape: (number | string)[]] {
  const [tensor] = messages(messages(message, 2)[0], 1);
  const extents = messages(messages(tensor, 2)[0], 1);
  return [texts(message, 1)[0], extents.map((each) => numbers(each, 1).at(0) ?? texts(each, 2)[0])];
}
