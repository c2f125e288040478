/**
 * The safetensors format (https://github.com/huggingface/safetensors), which PyTorch users open in one line:
 *
 *     8 bytes    N, the length of the header, little-endian
 *     N bytes    the header, JSON: { name: { dtype, shape, data_offsets: [begin, end] }, __metadata__: { … } }
 *     the rest   the values, little-endian and without gaps; the offsets count from here
 */
import type { FloatArray, Shape } from '../../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../../kernels/shape.ts';
import { GammaBetaError } from '../../tensor/errors.ts';

/** A checkpoint that cannot be made, read or restored. What it was to be restored into is unchanged. */
export class CheckpointError extends GammaBetaError {
  constructor(op: string, problem: string, hint: string, options: ErrorOptions = {}) {
    super(op, problem, hint);
    if (options.cause !== undefined) this.cause = options.cause;
  }
}

/** What is read, for messages: the function that was called, and a file's path. */
export interface Source {
  readonly op: string;
  readonly name: string;
}

/** A tensor's values; the kind of array is its element type. */
export interface Entry {
  readonly shape: Shape;
  readonly values: FloatArray;
}

/** What a file holds. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, Entry>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** As much as the reference implementation accepts. */
const LARGEST_HEADER = 100_000_000;
const ANOTHER = 'give the path of a file, or bytes, that were made by saveCheckpoint or encodeCheckpoint';
export const DAMAGED = 'the file is damaged: use another checkpoint';

export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  // The wider type first, so that every value is aligned. The sort is stable.
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
 * The inverse. Checks all of it: lengths, JSON, names, element types, shapes, and that the values lie one
 * after the other from the first byte to the last.
 *
 * @throws {CheckpointError} It is something else, cut short, or damaged.
 */
export function readSafetensors(source: Source, bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { __metadata__: metadata = {}, ...described } = readHeader(source, bytes, view);
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw damaged(source, '__metadata__ is not strings by name');
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

/** JSON, or a `CheckpointError`. */
export function readJson(source: Source, name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw damaged(source, `${name} is not JSON: ${reason}`, { cause });
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

/** The header's entries, still unchecked. */
function readHeader(source: Source, bytes: Uint8Array, view: DataView): Record<string, unknown> {
  const { op, name } = source;
  const length = bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (length > LARGEST_HEADER || (bytes.length > 8 && bytes[8] !== 0x7b)) {
    throw new CheckpointError(
      op,
      `${name} is not a checkpoint: ${bytes.length} bytes that do not begin as safetensors do`,
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
  /** float64 */
  readonly wide: boolean;
  readonly begin: number;
  readonly end: number;
}

function readEntry(source: Source, name: string, entry: unknown): Described {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (dtype !== 'F32' && dtype !== 'F64') {
    throw new CheckpointError(
      source.op,
      `${source.name} holds ${name} in an unknown element type: ${JSON.stringify(dtype)}`,
      'F32 and F64 are read: convert it',
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
    'it was not copied to its end: copy it again, or use another checkpoint',
  );
}

function width({ values }: Entry): number {
  return values.BYTES_PER_ELEMENT;
}
