/** CRC-32, the checksum of gzip, PNG and zip: `zlib.crc32` in Node and Python. */

/** For slicing by 8 (Kounavis & Berry 2005): table k has the remainders of a byte that k zero bytes follow. */
let tables: Int32Array | null = null;

function makeTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
    t[byte] = remainder;
  }
  for (let i = 256; i < t.length; i++) t[i] = (t[i - 256] >>> 8) ^ t[t[i - 256] & 255];
  return t;
}

/** The checksum of the bytes, an integer from 0 to 2³² − 1. */
export function crc32(bytes: Uint8Array): number {
  const t = (tables ??= makeTables());
  let c = -1;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c =
      t[0x700 | (c & 255)] ^
      t[0x600 | ((c >>> 8) & 255)] ^
      t[0x500 | ((c >>> 16) & 255)] ^
      t[0x400 | (c >>> 24)] ^
      t[0x300 | bytes[i + 4]] ^
      t[0x200 | bytes[i + 5]] ^
      t[0x100 | bytes[i + 6]] ^
      t[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) c = t[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}
