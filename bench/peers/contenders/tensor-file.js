/**
 * Sends arrays from one process to another: a binary file holds the values, and a list of entries describes them. The
 * driver and the JavaScript contenders use this module; `protocol.py` reads and writes the same format.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** The types of arrays by their names in the list. */
const kinds = { float32: Float32Array, uint8: Uint8Array };

/**
 * @param {string} file
 * @param {Record<string, { shape: readonly number[], data: Float32Array | Uint8Array }>} tensors
 */
export function writeTensors(file, tensors) {
  const chunks = [];
  const entries = [];
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const dtype = data instanceof Uint8Array ? 'uint8' : 'float32';
    entries.push({ name, dtype, shape, offset });
    const padding = -data.byteLength & 3; // a Float32Array has to start at a multiple of 4
    chunks.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength), Buffer.alloc(padding));
    offset += data.byteLength + padding;
  }
  writeFileSync(file, Buffer.concat(chunks));
  return { file, entries };
}

/** @param {{ file: string, entries: { name: string, dtype: string, shape: number[], offset: number }[] }} list */
export function readTensors({ file, entries }) {
  const { buffer, byteOffset } = ownMemory(readFileSync(file));
  return Object.fromEntries(
    entries.map(({ name, dtype, shape, offset }) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return [name, { shape, data: new kinds[dtype](buffer, byteOffset + offset, size) }];
    }),
  );
}

/** Node reads small files into slices of a pool, which may not start at a multiple of 4. */
function ownMemory(bytes) {
  return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
}
