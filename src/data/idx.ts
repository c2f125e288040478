import { bytesOf } from './bytes.ts';
import { DataError } from './data-error.ts';
import { isGzip, isHtml } from './signatures.ts';

/** The contents of an IDX file: the shape, the element type, and the elements in row-major order. */
export type IdxArray =
  | { readonly shape: number[]; readonly dtype: 'uint8'; readonly data: Uint8Array }
  | { readonly shape: number[]; readonly dtype: 'int8'; readonly data: Int8Array }
  | { readonly shape: number[]; readonly dtype: 'int16'; readonly data: Int16Array }
  | { readonly shape: number[]; readonly dtype: 'int32'; readonly data: Int32Array }
  | { readonly shape: number[]; readonly dtype: 'float32'; readonly data: Float32Array }
  | { readonly shape: number[]; readonly dtype: 'float64'; readonly data: Float64Array };

/** For each value of a file's third byte: the element type, and the size of an element in bytes. */
const elementTypes = new Map<number, readonly [dtype: IdxArray['dtype'], bytes: number]>([
  [0x08, ['uint8', 1]],
  [0x09, ['int8', 1]],
  [0x0b, ['int16', 2]],
  [0x0c, ['int32', 4]],
  [0x0d, ['float32', 4]],
  [0x0e, ['float64', 8]],
]);

/**
 * Reads an IDX file, the format of MNIST, of any element type and rank. Runs in browsers too.
 *
 * The format: two bytes 0, one byte for the element type, one for the rank; the extents, 4 bytes each; the
 * elements. All numbers are big-endian. A file of rank 0 has shape `[]` and one element.
 *
 * @param file the bytes of the whole file, not compressed: a Uint8Array or an ArrayBuffer
 * @returns shape, dtype, and the elements in an array of that type, which shares no memory with `file`
 * @throws {DataError} if the file is neither of these, is truncated or too long, is still compressed, has another
 *   format, or is an HTML page that a server sent in place of the file
 * @see http://yann.lecun.com/exdb/mnist/, "the IDX file format" (the host is gone; archived at
 *   https://web.archive.org/web/2024/http://yann.lecun.com/exdb/mnist/)
 * @example
 * ```ts
 * import { parseIdx } from 'gammabeta';
 *
 * const file = new Uint8Array([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60]);
 * const { shape, dtype, data } = parseIdx(file);
 * console.log(shape, dtype); // [ 2, 3 ] uint8
 * console.log(data); // Uint8Array(6) [ 10, 20, 30, 40, 50, 60 ]
 * ```
 */
export function parseIdx(file: Uint8Array | ArrayBuffer): IdxArray {
  const array = viewIdx(bytesOf('parseIdx', file));
  if (array.dtype === 'uint8') return { ...array, data: array.data.slice() };
  if (array.dtype === 'int8') return { ...array, data: array.data.slice() };
  return array;
}

/** {@link parseIdx}, except that elements of one byte are not copied: they share the memory of the file. */
export function viewIdx(bytes: Uint8Array): IdxArray {
  const { shape, dtype, view, start, size, expected } = readHeader(bytes);
  if (bytes.length < expected) throw truncated(`data of shape [${shape.join(', ')}]`, expected, bytes.length);
  if (bytes.length > expected) {
    throw new DataError(
      'parseIdx',
      `bytes are left over after the data: expected ${expected} bytes, found ${bytes.length}`,
      'the file is damaged, or several files were joined: get it again',
    );
  }
  return elements(shape, dtype, view, start, size);
}

/**
 * The size of an IDX file in bytes, from its first bytes: 1,028 are enough.
 * @throws {DataError} if they are not the first bytes of an IDX file
 */
export function sizeOfIdx(start: Uint8Array): number {
  return readHeader(start).expected;
}

function readHeader(bytes: Uint8Array) {
  refuseOtherFormats(bytes);
  if (bytes.length < 4) throw truncated('header', 4, bytes.length);
  const type = elementTypes.get(bytes[2]);
  if (type === undefined) {
    throw new DataError(
      'parseIdx',
      `unknown element type: 0x${bytes[2].toString(16).padStart(2, '0')}`,
      'the third byte is 0x08 uint8, 0x09 int8, 0x0b int16, 0x0c int32, 0x0d float32 or 0x0e float64',
    );
  }
  const [dtype, elementBytes] = type;
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw truncated(`header of rank ${rank}`, start, bytes.length);

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = checkedSize(shape, elementBytes);
  return { shape, dtype, view, start, size, expected: start + size * elementBytes };
}

/** The big-endian elements of the file, in the byte order of this machine: a view if they have one byte each, else a copy. */
function elements(
  shape: number[],
  dtype: IdxArray['dtype'],
  view: DataView,
  start: number,
  size: number,
): IdxArray {
  switch (dtype) {
    case 'uint8':
      return { shape, dtype, data: new Uint8Array(view.buffer, view.byteOffset + start, size) };
    case 'int8':
      return { shape, dtype, data: new Int8Array(view.buffer, view.byteOffset + start, size) };
    case 'int16':
      return { shape, dtype, data: filled(new Int16Array(size), (i) => view.getInt16(start + 2 * i)) };
    case 'int32':
      return { shape, dtype, data: filled(new Int32Array(size), (i) => view.getInt32(start + 4 * i)) };
    case 'float32':
      return { shape, dtype, data: filled(new Float32Array(size), (i) => view.getFloat32(start + 4 * i)) };
    case 'float64':
      return { shape, dtype, data: filled(new Float64Array(size), (i) => view.getFloat64(start + 8 * i)) };
  }
}

function filled<A extends Int16Array | Int32Array | Float32Array | Float64Array>(
  data: A,
  element: (i: number) => number,
): A {
  for (let i = 0; i < data.length; i++) data[i] = element(i);
  return data;
}

/** The number of elements. It is compared with the size of the file before memory is allocated. */
function checkedSize(shape: readonly number[], elementBytes: number): number {
  const size = shape.includes(0) ? 0 : shape.reduce((product, extent) => product * extent, 1);
  if (size * elementBytes <= Number.MAX_SAFE_INTEGER) return size;
  throw new DataError(
    'parseIdx',
    `the shape is absurd: [${shape.join(', ')}] of ${elementBytes} bytes each is more than 2⁵³ bytes`,
    'the header is damaged: get the file again',
  );
}

/** Recognizes the files that are often passed by mistake, and refuses each with its own message. */
function refuseOtherFormats(bytes: Uint8Array): void {
  if (isHtml(bytes)) {
    throw new DataError(
      'parseIdx',
      'this is an HTML page, not an IDX file: the server sent an error page',
      'the original host of MNIST is gone: download from a mirror, and look at the file',
    );
  }
  if (isGzip(bytes)) {
    throw new DataError(
      'parseIdx',
      'these bytes are still compressed: they begin with 1f 8b, as gzip does',
      "gunzip them first: gunzipSync of node:zlib, or DecompressionStream('gzip') in a browser",
    );
  }
  const magic = bytes.subarray(0, 2);
  if (magic.some((byte) => byte !== 0)) {
    throw new DataError(
      'parseIdx',
      `this is not an IDX file: it begins with ${Array.from(magic, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}`,
      'an IDX file begins with two bytes 0',
    );
  }
}

function truncated(what: string, expected: number, found: number): DataError {
  return new DataError(
    'parseIdx',
    `the file is truncated in its ${what}: expected ${expected} bytes, found ${found}`,
    'a download was cut short: get the file again',
  );
}
