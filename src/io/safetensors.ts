/**
 * The safetensors format (https://github.com/huggingface/safetensors): named tensors, and metadata of strings.
 *
 *     8 bytes    N, the size of the header: an unsigned 64-bit integer, little-endian
 *     N bytes    the header, a JSON object, padded with spaces: for each tensor
 *                "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] }, and
 *                "__metadata__": an object of strings
 *     the rest   the values of all tensors, little-endian, without gaps; data_offsets count from its start
 *
 * `readHeader` and `decodeTensor` read a file part by part, `partsOf` writes one; `decodeSafetensors` and
 * `encodeSafetensors` do it at once.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { type GammaBetaError, isDetached, shown, TRANSFERRED } from '../tensor/errors.ts';
import { Tensor } from '../tensor/tensor.ts';
import { crc32 } from './crc32.ts';
import { FormatError } from './format-error.ts';
import {
  bytesOf,
  elementSize,
  type ElementType,
  elementTypes,
  type ElementValues,
  firstUnfit,
  isArrayOf,
  isElementType,
  typeOf,
  valuesOf,
} from './element-type.ts';
import { parseStrictly } from './strict-json.ts';

/** A tensor of a file. */
export interface SafetensorsTensor {
  /** The element type, by its name in the format. */
  readonly dtype: ElementType;
  readonly shape: Shape;
  /**
   * The values in row-major order: a Float64Array for F64, a Float32Array for F32, F16 and BF16, a BigInt64Array for
   * I64, an Int32Array for I32, a Uint8Array for U8 and BOOL (0 and 1).
   */
  readonly data: ElementValues;
}

/** The contents of a file. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, SafetensorsTensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A tensor to write. Without `dtype`, the array decides: F64, F32, I64, I32 or U8. */
export interface SafetensorsInput {
  readonly dtype?: ElementType;
  readonly shape: Shape;
  readonly data: ElementValues;
}

/**
 * Reads the bytes of a safetensors file. Every rule of the format is checked.
 *
 * @param bytes The whole file. The result shares no memory with it.
 * @throws {FormatError} The bytes are not safetensors, are cut short or damaged, or have a tensor of another element type
 *   than F64, F32, F16, BF16, I64, I32, U8 or BOOL.
 * @see https://github.com/huggingface/safetensors#format
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from 'gammabeta';
 *
 * const bytes = encodeSafetensors({ w: { shape: [2], data: new Float32Array([1, 2]) } }, { by: 'me' });
 * const { tensors, metadata } = decodeSafetensors(bytes);
 * console.log(tensors.w.dtype, tensors.w.shape, tensors.w.data); // F32 [ 2 ] Float32Array(2) [ 1, 2 ]
 * console.log(metadata); // { by: 'me' }
 * ```
 */
export function decodeSafetensors(bytes: Uint8Array | ArrayBuffer): Safetensors {
  return readBytes(plainSource('decodeSafetensors'), bytes);
}

/**
 * Writes tensors as the bytes of a safetensors file.
 *
 * @param tensors By name: `{ shape, data }` with a typed array, and with a `dtype` for F16, BF16 (from a Float32Array) and
 *   BOOL (from a Uint8Array of 0 and 1); or a {@link Tensor}, on a device that can be read synchronously.
 * @param metadata Any strings by name.
 * @throws {FormatError} A name, shape, element type or value cannot be written; for example, 70,000 as F16.
 * @throws {DeviceError} A tensor is on `webgpu`.
 * @example
 * ```ts
 * import { Dense, decodeSafetensors, encodeSafetensors } from 'gammabeta';
 *
 * const bytes = encodeSafetensors({
 *   half: { dtype: 'F16', shape: [2], data: new Float32Array([0.5, 2]) },
 *   ...new Dense(3, 2).stateDict(),
 * });
 * console.log(Object.keys(decodeSafetensors(bytes).tensors).sort()); // [ 'bias', 'half', 'weight' ]
 * ```
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafetensorsInput | Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const source = plainSource('encodeSafetensors');
  if (!isRecord(tensors)) {
    throw source.failure(`tensors is ${shown(tensors)}`, 'pass { name: { shape, data }, … }');
  }
  const checked = Object.entries(tensors).map(([name, given]): [string, SafetensorsTensor] => [
    name,
    expectTensor(source, name, given),
  ]);
  return joined(source, partsOf(source, { tensors: Object.fromEntries(checked), metadata }));
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────────

/** What is read or written, for error messages. */
export interface Source {
  /** A path, or "the data". */
  readonly name: string;
  /** What it should be: `checkpoint`. */
  readonly kind: string;
  /** What to pass instead, if it is something else. */
  readonly wanted: string;
  /** Makes an error, which names the public function that was called. */
  readonly failure: (problem: string, hint: string, options?: ErrorOptions) => GammaBetaError;
}

/** The source of functions whose errors are {@link FormatError}. */
export function plainSource(op: string, path?: string): Source {
  return {
    name: path ?? 'the data',
    kind: 'safetensors file',
    wanted: `pass the ${path === undefined ? 'bytes' : 'path'} of a safetensors file`,
    failure: (problem, hint, options) => new FormatError(op, problem, hint, options),
  };
}

/** A tensor in the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: Shape;
  /** Where its bytes are in the file. */
  readonly begin: number;
  readonly end: number;
}

/** A header, of which everything is checked. */
export interface Header {
  /** The tensors, in the order of the header. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The size of the number in front of the header. */
export const PREFIX = 8;
/** The limit of the reference implementation, in bytes. */
const LARGEST_HEADER = 100_000_000;
/** The key of our checksums in the metadata: `{ name: CRC-32 of the tensor's bytes }` as JSON. */
const CHECKSUMS = 'gammabeta.crc32';

/** Refuses a file by its header, before values are read: there may be gigabytes of them. */
export type HeaderCheck = (header: Header) => void;

/** Reads a whole file. */
export function readBytes(
  source: Source,
  given: Uint8Array | ArrayBuffer,
  check: HeaderCheck = () => undefined,
): Safetensors {
  if (isDetached(given)) throw source.failure(`the data is ${shown(given)}`, TRANSFERRED);
  const bytes = given instanceof ArrayBuffer ? new Uint8Array(given) : given;
  if (!(bytes instanceof Uint8Array)) {
    throw source.failure(`the data is ${shown(given)}`, 'pass the bytes of the file, a Uint8Array');
  }
  const start = PREFIX + headerSize(source, bytes.subarray(0, PREFIX + 1), bytes.length);
  const { entries, metadata } = readHeader(source, bytes.subarray(PREFIX, start), bytes.length);
  check({ entries, metadata });
  const sums = checksumsOf(source, metadata);
  const tensors = entries.map((entry): [string, SafetensorsTensor] => {
    return [
      entry.name,
      decodeTensor(source, entry, new Uint8Array(bytes.subarray(entry.begin, entry.end)), sums),
    ];
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * Reads the size of the header.
 *
 * @param start The first 9 bytes of the file, fewer if it is shorter.
 * @param length The size of the file.
 */
export function headerSize(source: Source, start: Uint8Array, length: number): number {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const size = start.length < PREFIX ? Infinity : Number(view.getBigUint64(0, true));
  if (size > LARGEST_HEADER || (start.length > PREFIX && start[PREFIX] !== 0x7b)) {
    const problem = `${length} bytes that do not begin with a safetensors header`;
    throw source.failure(`${source.name} is not a ${source.kind}: ${problem}`, source.wanted);
  }
  if (PREFIX + size > length) throw cutShort(source, PREFIX + size, length);
  return size;
}

/**
 * Parses a header and checks it: the JSON, the element types, the shapes, and that the values fill the rest of the file
 * without gaps or overlaps.
 *
 * @param length The size of the file.
 */
export function readHeader(source: Source, bytes: Uint8Array, length: number): Header {
  const start = PREFIX + bytes.length;
  const { __metadata__: metadata = {}, ...described } = parseHeader(source, bytes);
  if (!isStrings(metadata)) throw damaged(source, '__metadata__ is not an object of strings');
  const entries = Object.entries(described).map(([name, entry]) => readEntry(source, name, entry, start));
  let at = start;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw damaged(source, `${shortened(name)} begins at ${begin - start}, not at ${at - start}`);
    at = end;
  }
  if (length < at) throw cutShort(source, at, length);
  if (length > at) throw damaged(source, `${length - at} bytes after the last value`);
  return { entries, metadata };
}

function parseHeader(source: Source, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw damaged(source, 'the header is not UTF-8', { cause });
  }
  let header: unknown;
  try {
    header = parseStrictly(text);
  } catch (cause) {
    throw damaged(source, `the header is not JSON: ${reasonOf(cause)}`, { cause });
  }
  if (isRecord(header)) return header;
  throw damaged(source, 'the header is not a JSON object');
}

function readEntry(source: Source, name: string, entry: unknown, start: number): Entry {
  if (!isRecord(entry)) throw damaged(source, `the entry of ${shortened(name)} is ${show(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') {
    throw damaged(source, `the element type of ${shortened(name)} is ${show(dtype)}`);
  }
  if (!isElementType(dtype)) {
    const problem = `${source.name} stores ${shortened(name)} in an unsupported element type: ${show(dtype)}`;
    throw source.failure(problem, `convert it to ${elementTypes.join(', ')}`);
  }
  if (!isIntegers(shape)) throw damaged(source, `the shape of ${shortened(name)} is ${show(shape)}`);
  if (!isIntegers(offsets) || offsets.length !== 2) {
    throw damaged(source, `the offsets of ${shortened(name)} are ${show(offsets)}`);
  }
  const [begin, end] = offsets;
  const needed = shape.includes(0) ? 0 : sizeOf(shape) * elementSize(dtype);
  if (end - begin === needed) return { name, dtype, shape, begin: start + begin, end: start + end };
  const problem = `${shortened(name)} ${shortened(formatShape(shape))} has ${end - begin} bytes, ${dtype} needs ${needed}`;
  throw damaged(source, problem);
}

/** The checksums of the tensors' bytes, if the file has them. */
export function checksumsOf(
  source: Source,
  metadata: Readonly<Record<string, string>>,
): ReadonlyMap<string, unknown> | null {
  if (!Object.hasOwn(metadata, CHECKSUMS)) return null;
  try {
    const sums = parseStrictly(metadata[CHECKSUMS]);
    if (isRecord(sums)) return new Map(Object.entries(sums));
  } catch {
    // not JSON
  }
  throw damaged(source, `the metadata's ${CHECKSUMS} is not an object of checksums`);
}

/**
 * The values of a tensor.
 *
 * @param bytes Its bytes, in memory of their own.
 * @param sums What `checksumsOf` returned.
 */
export function decodeTensor(
  source: Source,
  { name, dtype, shape }: Entry,
  bytes: Uint8Array<ArrayBuffer>,
  sums: ReadonlyMap<string, unknown> | null,
): SafetensorsTensor {
  if (sums?.has(name) && sums.get(name) !== crc32(bytes)) {
    const problem = `the checksum of ${shortened(name)} is ${crc32(bytes)}, not ${show(sums.get(name))}`;
    throw damaged(source, problem, {}, `, or remove ${CHECKSUMS} from its metadata if the change was meant`);
  }
  if (dtype === 'BOOL') {
    const wrong = bytes.find((byte) => byte > 1);
    if (wrong !== undefined)
      throw damaged(source, `${shortened(name)} has a BOOL that is ${wrong}, not 0 or 1`);
  }
  return { dtype, shape, data: valuesOf(dtype, bytes) };
}

/** The error for contents that are not as they should be. */
export function damaged(
  source: Source,
  problem: string,
  options: ErrorOptions = {},
  more = '',
): GammaBetaError {
  const hint = `the file is damaged: use another ${source.kind}${more}`;
  return source.failure(`${source.name} is damaged: ${problem}`, hint, options);
}

function cutShort({ name, kind, failure }: Source, expected: number, found: number): GammaBetaError {
  return failure(
    `${name} is cut short: ${found} bytes of at least ${expected}`,
    `the copy is incomplete: copy the file again, or use another ${kind}`,
  );
}

// ── writing ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A file in parts: the header, and the bytes of each tensor. No part is larger than a tensor, so a file may be larger than
 * the largest array. On most machines the parts are views of the arrays of values.
 *
 * @param hasChecksums Whether to add checksums to the metadata. They replace checksums that it already has.
 */
export function partsOf(
  source: Source,
  { tensors, metadata }: Safetensors,
  hasChecksums = false,
): Uint8Array[] {
  if (!isStrings(metadata))
    throw source.failure(`metadata is ${shown(metadata)}`, 'pass an object of strings');
  const texts = [...Object.keys(tensors), ...Object.entries(metadata).flat()];
  const broken = texts.find((text) => /\p{Surrogate}/u.test(text));
  if (broken !== undefined) {
    // JSON can escape it, but the reference implementation does not read it.
    throw source.failure(`${show(broken)} has half of a surrogate pair`, 'use whole Unicode characters');
  }
  // float64 before float32, so that every value is aligned. The sort is stable.
  const sorted = Object.entries(tensors).sort(([, a], [, b]) => elementSize(b.dtype) - elementSize(a.dtype));
  const parts = sorted.map(([, { dtype, data }]) => bytesOf(dtype, data));
  let end = 0;
  const members = sorted.map(([name, { dtype, shape }], i): [string, unknown] => {
    const begin = end;
    end += parts[i].length;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const sums = () => JSON.stringify(Object.fromEntries(sorted.map(([name], i) => [name, crc32(parts[i])])));
  const allMetadata = {
    ...metadata,
    ...((hasChecksums || Object.hasOwn(metadata, CHECKSUMS)) && { [CHECKSUMS]: sums() }),
  };
  if (Object.keys(allMetadata).length > 0) members.unshift(['__metadata__', allMetadata]);
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(members)));
  const start = new Uint8Array(PREFIX + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - PREFIX), true);
  start.set(json, PREFIX);
  return [start, ...parts];
}

/** The parts in one array. */
export function joined(source: Source, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(size);
  } catch (cause) {
    const hint = 'save it to a file, which is written in parts, or split it';
    throw source.failure(`${size} bytes are more than one array can hold`, hint, { cause });
  }
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Checks a tensor to write. */
function expectTensor(source: Source, name: string, given: unknown): SafetensorsTensor {
  if (name === '__metadata__' || name === '__proto__') {
    throw source.failure(`a tensor is named ${name}`, 'use another name: this one is reserved');
  }
  if (given instanceof Tensor) {
    const data = given.dataSync();
    return { dtype: data instanceof Float64Array ? 'F64' : 'F32', shape: given.shape, data };
  }
  const { shape, data, dtype = typeOf(data), ...others } = isRecord(given) ? given : {};
  const unknown = Object.keys(others).at(0);
  if (unknown !== undefined)
    throw source.failure(`${name} has an unknown member ${unknown}`, 'pass { dtype, shape, data }');
  if (!isElementType(dtype) || !isArrayOf(dtype, data)) {
    const hint =
      'data is a Float64Array, Float32Array, BigInt64Array, Int32Array or Uint8Array, and dtype a type that it can hold';
    throw source.failure(`${name} has dtype ${shown(dtype)} and data ${shown(data)}`, hint);
  }
  if (!isIntegers(shape) || sizeOf(shape) !== data.length) {
    const hint = 'the product of the extents must be the number of values';
    const found = isIntegers(shape) ? formatShape(shape) : shown(shape);
    throw source.failure(`${name} has ${data.length} values in shape ${found}`, hint);
  }
  const wrong = firstUnfit(dtype, data);
  if (wrong !== undefined) {
    throw source.failure(`${name} has the value ${wrong}, which ${dtype} cannot hold`, 'use another dtype');
  }
  return { dtype, shape: [...shape], data };
}

// ── helpers ────────────────────────────────────────────────────────────────────────────────────────────

export function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function isStrings(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
}

/** An array of integers from 0 to `max`. */
export function isIntegers(value: unknown, max: number = Number.MAX_SAFE_INTEGER): value is number[] {
  return Array.isArray(value) && value.every((n: unknown) => isInteger(n, max));
}

export function isInteger(value: unknown, max: number = Number.MAX_SAFE_INTEGER): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    !Object.is(value, -0) &&
    value >= 0 &&
    value <= max
  );
}

/** A value of a JSON text, for error messages: its text, shortened. */
export function show(value: unknown): string {
  let text = 'undefined';
  try {
    if (value !== undefined) text = JSON.stringify(value);
  } catch {
    text = 'nested too deeply'; // the stack overflowed
  }
  return shortened(text);
}

/** A text of a file, which may have millions of characters, for error messages. */
function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

/** The message of an error; any other thrown value as a string. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
