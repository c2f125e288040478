/** The element types of safetensors, and their values in JavaScript's arrays. */
import { fromBF16, fromF16, toBF16, toF16 } from './half.ts';

/** Floats of 64, 32 and 16 bits, the upper half of a float32, integers of 64, 32 and 8 bits, and bytes of 0 and 1. */
export type ElementType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'BOOL';

export type ElementValues = Float64Array | Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** For each type: the bytes of an element, and the class of the array that holds the values. */
const types: Readonly<
  Record<ElementType, readonly [size: number, array: ElementValues[typeof Symbol.toStringTag]]>
> = {
  F64: [8, 'Float64Array'],
  F32: [4, 'Float32Array'],
  F16: [2, 'Float32Array'],
  BF16: [2, 'Float32Array'],
  I64: [8, 'BigInt64Array'],
  I32: [4, 'Int32Array'],
  U8: [1, 'Uint8Array'],
  BOOL: [1, 'Uint8Array'],
};

export const elementTypes = Object.keys(types) as readonly ElementType[];

export function isElementType(value: unknown): value is ElementType {
  return typeof value === 'string' && Object.hasOwn(types, value);
}

/** The number of bytes of an element. */
export function elementSize(dtype: ElementType): number {
  return types[dtype][0];
}

/** Whether an array is of the class that holds values of this type. */
export function isArrayOf(dtype: ElementType, data: unknown): data is ElementValues {
  return ArrayBuffer.isView(data) && Object.prototype.toString.call(data) === `[object ${types[dtype][1]}]`;
}

/** The type that an array is written as if none is given; undefined if there is none. */
export function typeOf(data: unknown): ElementType | undefined {
  return elementTypes.find((dtype) => isArrayOf(dtype, data));
}

/** The values of little-endian bytes, which have memory of their own. */
export function valuesOf(dtype: ElementType, bytes: Uint8Array<ArrayBuffer>): ElementValues {
  const { buffer } = inOrder(bytes, elementSize(dtype));
  if (dtype === 'F16') return fromF16(new Uint16Array(buffer));
  if (dtype === 'BF16') return fromBF16(new Uint16Array(buffer));
  return new globalThis[types[dtype][1]](buffer);
}

/** The little-endian bytes of values; where possible a view of the same memory. */
export function bytesOf(dtype: ElementType, values: ElementValues): Uint8Array {
  const floats = values as Float32Array;
  const data = dtype === 'F16' ? toF16(floats) : dtype === 'BF16' ? toBF16(floats) : values;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return isLittleEndian ? bytes : inOrder(bytes.slice(), elementSize(dtype));
}

/** The first value that the type cannot hold: a float beyond the range of 16 bits, or a BOOL that is not 0 or 1. */
export function firstUnfit(dtype: ElementType, values: ElementValues): number | undefined {
  if (dtype === 'BOOL') return (values as Uint8Array).find((value) => value > 1);
  if (dtype !== 'F16' && dtype !== 'BF16') return undefined;
  const floats = values as Float32Array;
  const rounded = valuesOf(dtype, new Uint8Array(bytesOf(dtype, floats))) as Float32Array;
  return floats.find((value, i) => Number.isFinite(value) && !Number.isFinite(rounded[i]));
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reverses the bytes of each element, in place, on a big-endian machine. */
function inOrder<T extends Uint8Array>(bytes: T, size: number): T {
  if (!isLittleEndian) for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
  return bytes;
}
