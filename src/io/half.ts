/** The 16-bit floats F16 (IEEE 754 binary16) and BF16 (the upper half of a float32) from and to float32. */

/** The values of F16 words, exactly: 1 bit of sign, 5 of exponent, 10 of fraction. */
export function fromF16(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < words.length; i++) {
    const sign = (words[i] & 0x8000) << 16;
    const exponent = (words[i] >>> 10) & 31;
    const fraction = words[i] & 1023;
    if (exponent === 0) values[i] = (sign === 0 ? fraction : -fraction) * 2 ** -24;
    else bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}

/** Rounds to the nearest F16, ties to even. Values of 65520 and more become infinite; a NaN stays one. */
export function toF16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(1);
  const scratch = new Float32Array(bits.buffer);
  return Uint16Array.from(values, (value) => {
    scratch[0] = value;
    const sign = (bits[0] >>> 16) & 0x8000;
    const magnitude = Math.abs(value);
    if (Number.isNaN(value)) return sign | 0x7e00 | ((bits[0] >>> 13) & 1023);
    if (magnitude >= 65520) return sign | 0x7c00;
    if (magnitude >= 2 ** -14) return sign | (roundedShift(bits[0] & 0x7fffffff, 13) - (112 << 10));
    scratch[0] = magnitude + 0.5; // rounds to a multiple of 2⁻²⁴, the unit of the small values
    return sign | (bits[0] & 0x7ff);
  });
}

/** The values of BF16 words, exactly. */
export function fromBF16(words: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
}

/** Rounds to the nearest BF16, ties to even. Values from 3.396e38 on become infinite; a NaN stays one. */
export function toBF16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.slice().buffer);
  return Uint16Array.from(bits, (word, i) =>
    Number.isNaN(values[i]) ? (word >>> 16) | 0x40 : roundedShift(word, 16),
  );
}

/** bits / 2ⁿ, rounded to the nearest integer, ties to even. */
function roundedShift(bits: number, n: number): number {
  const odd = (bits >>> n) & 1;
  return (bits + 2 ** (n - 1) - 1 + odd) >>> n;
}
