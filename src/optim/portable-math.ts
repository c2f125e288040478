/**
 * Powers and cosines with the same bits in every JavaScript engine. ECMA-262 leaves the last bits of `Math.pow` and
 * `Math.cos` to the engine, and two versions of Node differ in them; +, −, · and / are exact to the bit everywhere.
 */

/**
 * xⁿ for 0 ≤ x ≤ 1 and an integer n ≥ 0, by repeated squaring. The base and the result are sums of two numbers, where the
 * second holds the rounding error of the first (Dekker 1971), so the result is the nearest float64 to xⁿ.
 */
export function power(x: number, n: number): number {
  let base = x;
  let baseRest = 0;
  let y = 1;
  let yRest = 0;
  for (let bits = n; bits > 0; bits = Math.floor(bits / 2)) {
    if (bits % 2 === 1) {
      const product = y * base;
      const rest = roundingError(y, base, product) + (y * baseRest + yRest * base);
      y = product + rest;
      yRest = rest - (y - product);
    }
    const square = base * base;
    const rest = roundingError(base, base, square) + 2 * base * baseRest;
    base = square + rest;
    baseRest = rest - (base - square);
  }
  return y;
}

/** a·b − product, where `product` is a·b rounded: from halves of a and b, whose products are exact. */
function roundingError(a: number, b: number, product: number): number {
  const aHigh = upperHalf(a);
  const bHigh = upperHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The upper 26 bits of x (Veltkamp 1968). */
function upperHalf(x: number): number {
  const scaled = (2 ** 27 + 1) * x;
  return scaled - (scaled - x);
}

/** π/2 as a sum of two numbers. The first has 33 bits, so its product with 0, 1 and 2 is exact. */
const HALF_PI = [1.57079632673412561417, 6.07710050650619224932e-11];

/** cos x for 0 ≤ x ≤ π, by the polynomials of fdlibm (Sun Microsystems 1993). The absolute error is at most 2⁻⁵³. */
export function cosine(x: number): number {
  const quarter = Math.round(x / (Math.PI / 2));
  const high = x - quarter * HALF_PI[0];
  const r = high - quarter * HALF_PI[1];
  const rest = high - r - quarter * HALF_PI[1]; // r + rest = x − quarter·π/2
  if (quarter === 1) return -nearSin(r, rest);
  return quarter === 0 ? nearCos(r, rest) : -nearCos(r, rest);
}

/** sin(r + rest) for |r| ≤ π/4: r − r³/6 + … */
function nearSin(r: number, rest: number): number {
  const z = r * r;
  const high = -2.50507602534068634195e-8 + z * 1.58969099521155010221e-10;
  const series =
    8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 + z * (2.75573137070700676789e-6 + z * high));
  return r - (z * (0.5 * rest - z * r * series) - rest + z * r * 1.66666666666666324348e-1);
}

/** cos(r + rest) for |r| ≤ π/4: 1 − r²/2 + r⁴/24 − … */
function nearCos(r: number, rest: number): number {
  const z = r * r;
  const high = -2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11);
  const series =
    z *
    (4.16666666666666019037e-2 +
      z * (-1.38888888888741095749e-3 + z * (2.48015872894767294178e-5 + z * high)));
  const half = 0.5 * z;
  const y = 1 - half;
  return y + (1 - y - half + (z * series - r * rest));
}
