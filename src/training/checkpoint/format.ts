/** Reads and writes safetensors: named tensors, and metadata of strings. `checkpoint.ts` shows the layout. */
import type { FloatArray, Shape } from '../../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../../kernels/shape.ts';
import { GammaBetaError } from '../../tensor/errors.ts';

/** A checkpoint cannot be made, read or restored. The model, optimizer, loader and generators are unchanged. */
export class CheckpointError extends GammaBetaError {
  override name = 'CheckpointError';

  constructor(op: string, problem: string, hint: string, options: ErrorOptions = {}) {
    super(op, problem, hint);
    if (options.cause !== undefined) this.cause = options.cause;
  }
}

/** For error messages: the public function that was called, and what it reads (a path, or "the data"). */
export interface Source {
  readonly op: string;
  readonly name: string;
}

/** A tensor's shape and values. The type of the array is the element type. */
export interface Entry {
  readonly shape: Shape;
  readonly values: FloatArray;
}

/** The contents of a file. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, Entry>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The limit of the reference implementation, in bytes. */
const LARGEST_HEADER = 100_000_000;
export const ANOTHER = 'give the path of a file written by saveCheckpoint, or the bytes of encodeCheckpoint';
const DAMAGED = 'the file is damaged: use another checkpoint';

export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  // float64 before float32, so that every value is aligned. The sort is stable.
  const entries = Object.entries(tensors).sort(([, a], [, b]) => width(b) - width(a));
  let size = 0;
  for (const [name, { shape, values }] of entries) {
    const begin = size;
    size += values.byteLength;
    header[name] = {
      dtype: values instanceof Float32Array ? 'F32' : 'F64',
      shape,
      data_offsets: [begin, size],
    };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(start - 8), true);
  bytes.fill(0x20, 8, start).set(json, 8);
  let at = start;
  for (const [, { values }] of entries) {
    const wide = values instanceof Float64Array;
    for (let i = 0; i < values.length; i++, at += values.BYTES_PER_ELEMENT) {
      if (wide) view.setFloat64(at, values[i], true);
      else view.setFloat32(at, values[i], true);
    }
  }
  return bytes;
}

/**
 * Reads safetensors. Checks the lengths, the JSON, the element types and the shapes, and
 * that the tensors fill the byte buffer without gaps or overlaps.
 *
 * @throws {CheckpointError} The bytes are not safetensors, are cut short, or are damaged.
 */
export function readSafetensors(source: Source, bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { __metadata__: metadata = {}, ...described } = readHeader(source, bytes, view);
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw damaged(source, '__metadata__ is not an object of strings');
  }
  const entries = Object.entries(described).map(([name, entry]) => readEntry(source, name, entry));
  const start = 8 + Number(view.getBigUint64(0, true));
  let at = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw damaged(source, `${name} begins at ${begin}, not at ${at}`);
    at = end;
  }
  const there = bytes.length - start;
  if (there < at) throw cutShort(source, start + at, bytes.length);
  if (there > at) throw damaged(source, `${there - at} bytes after the last value`);
  const tensors = entries.map(({ name, shape, wide, begin }): [string, Entry] => {
    const values = wide ? new Float64Array(sizeOf(shape)) : new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) {
      const offset = start + begin + i * values.BYTES_PER_ELEMENT;
      values[i] = wide ? view.getFloat64(offset, true) : view.getFloat32(offset, true);
    }
    return [name, { shape, values }];
  });
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Record<string, string> };
}

/** Parses JSON. @throws {CheckpointError} It is not JSON. */
export function readJson(source: Source, name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(source, `${name} is not JSON: ${reasonOf(cause)}`, { cause });
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An array of integers from 0 to `max`. */
export function isIntegers(value: unknown, max: number = Number.MAX_SAFE_INTEGER): value is number[] {
  return Array.isArray(value) && value.every((n: unknown) => isInteger(n, max));
}

export function isInteger(value: unknown, max: number = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

export function damaged({ op, name }: Source, problem: string, options: ErrorOptions = {}): CheckpointError {
  return new CheckpointError(op, `${name} is damaged: ${problem}`, DAMAGED, options);
}

/** The message of an error; any other thrown value as a string. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The header as a JSON object. Its entries are not checked yet. */
function readHeader(source: Source, bytes: Uint8Array, view: DataView): Record<string, unknown> {
  const { op, name } = source;
  const length = bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER || (bytes.length > 8 && bytes[8] !== 0x7b)) {
    throw new CheckpointError(
      op,
      `${name} is not a checkpoint: ${bytes.length} bytes that do not begin with a safetensors header`,
      ANOTHER,
    );
  }
  if (8 + length > bytes.length) throw cutShort(source, 8 + length, bytes.length);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length));
  } catch (cause) {
    throw damaged(source, 'the header is not UTF-8', { cause });
  }
  const header = readJson(source, 'the header', text);
  if (isRecord(header)) return header;
  throw damaged(source, 'the header is not a JSON object');
}

interface Described {
  readonly name: string;
  readonly shape: Shape;
  /** True for float64, false for float32. */
  readonly wide: boolean;
  /** The data_offsets. */
  readonly begin: number;
  readonly end: number;
}

function readEntry(source: Source, name: string, entry: unknown): Described {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (dtype !== 'F32' && dtype !== 'F64') {
    throw new CheckpointError(
      source.op,
      `${source.name} stores ${name} in an unsupported element type: ${JSON.stringify(dtype)}`,
      'convert it to F32 or F64',
    );
  }
  const wide = dtype === 'F64';
  if (!isIntegers(shape)) throw damaged(source, `the shape of ${name} is ${JSON.stringify(shape)}`);
  if (!isIntegers(offsets) || offsets.length !== 2) {
    throw damaged(source, `the offsets of ${name} are ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets;
  const needed = sizeOf(shape) * (wide ? 8 : 4);
  if (end - begin === needed) return { name, shape, wide, begin, end };
  throw damaged(source, `${name} ${formatShape(shape)} has ${end - begin} bytes, ${dtype} needs ${needed}`);
}

function cutShort({ op, name }: Source, expected: number, found: number): CheckpointError {
  return new CheckpointError(
    op,
    `${name} is cut short: ${found} bytes of at least ${expected}`,
    'the copy is incomplete: copy the file again, or use another checkpoint',
  );
}

function width({ values }: Entry): number {
  return values.BYTES_PER_ELEMENT;
}
