/**
 * WebAssembly as text, so that the library can import it: about one printable character per byte, which gzip compresses
 * to two thirds of base64.
 *
 * Each of the 86 most frequent bytes is one character, a digit. Every other byte is two: a mark that selects another page
 * of 86 bytes, and a digit. No character has to be escaped in a string.
 */
const CHARACTERS = '!#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~';
const DIGITS = 86;

/** All bytes, the most frequent ones first. */
function pages(frequent: readonly number[]): readonly number[] {
  return [...new Set([...frequent, ...Array(256).keys()])];
}

/** The bytes that `encode` and `decode` write as one character, for binaries like these. */
export function frequentBytes(bytes: Uint8Array): readonly number[] {
  const counts = Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  return [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, DIGITS);
}

export function encode(bytes: Uint8Array, frequent: readonly number[]): string {
  const order = pages(frequent);
  const characters = Array.from(order, (_, rank) => {
    const [page, digit] = [Math.floor(rank / DIGITS), rank % DIGITS];
    return (page === 0 ? '' : CHARACTERS[DIGITS + page - 1]) + CHARACTERS[digit];
  });
  return Array.from(bytes, (byte) => characters[order.indexOf(byte)]).join('');
}

/** The bytes of a text in pieces: one of `shared`, one of `own`, and so on. Spaces separate the pieces. */
export function decode(shared: string, own: string, frequent: readonly number[]): Uint8Array {
  const others = own.split(' ');
  const pieces = shared.split(' ').map((piece, k) => piece + others[k]);
  const text = pieces.join('');
  const order = pages(frequent);
  const values = new Uint8Array(128); // by character code
  for (let k = 0; k < CHARACTERS.length; k++) values[CHARACTERS.charCodeAt(k)] = k;
  const bytes = new Uint8Array(text.length);
  let [size, page] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)];
    if (value < DIGITS) bytes[size++] = order[page * DIGITS + value];
    page = value < DIGITS ? 0 : value - DIGITS + 1;
  }
  return bytes.slice(0, size);
}
