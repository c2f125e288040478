import type { IdxArray } from '../../src/data/idx.ts';

/** The inverse of `parseIdx`, written from the description of the format, independently of the parser. */
export function encodeIdx({ shape, dtype, data }: IdxArray): Uint8Array {
  const [code, bytes] = {
    uint8: [0x08, 1],
    int8: [0x09, 1],
    int16: [0x0b, 2],
    int32: [0x0c, 4],
    float32: [0x0d, 4],
    float64: [0x0e, 8],
  }[dtype];
  const file = Buffer.alloc(4 + 4 * shape.length + bytes * data.length);
  let at = file.writeUInt8(shape.length, file.writeUInt8(code, 2));
  for (const extent of shape) at = file.writeUInt32BE(extent, at);
  for (const value of data) {
    if (dtype === 'float32') at = file.writeFloatBE(value, at);
    else if (dtype === 'float64') at = file.writeDoubleBE(value, at);
    else if (dtype === 'uint8') at = file.writeUInt8(value, at);
    else at = file.writeIntBE(value, at, bytes);
  }
  return file;
}
