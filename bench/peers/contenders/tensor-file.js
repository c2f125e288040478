/**
 * Arrays from one process to another: one binary file, and a list that says what is where in it. Driver and
 * contenders share this file; `pytorch.py` reads the same form.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** Arrays that the format holds, with the names of their types in JSON. */
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
    const padding = -data.byteLength & 3; // a Float32Array begins at a multiple of 4
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

/** Small files come in a slice of Node's pool, which need not begin at a multiple of 4. */
function ownMemory(bytes) {
  return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
}
