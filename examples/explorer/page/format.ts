/** Numbers as text. */

/** A number for reading: few digits, a true minus sign, and 0 for what only rounding left over. */
export function show(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (Math.abs(value) < 5e-13) return '0';
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size >= 1e6 || size < 1e-3) return power(rounded, digits);
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: digits }).replace('-', '−');
}

const superscripts: Readonly<Record<string, string>> = {
  '-': '⁻',
  ...Object.fromEntries(Array.from('⁰¹²³⁴⁵⁶⁷⁸⁹', (digit, i) => [String(i), digit])),
};

/** 1.5e-7 → 1.5·10⁻⁷. */
function power(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential().split('e');
  const short = String(Number(Number(mantissa).toPrecision(digits))).replace('-', '−');
  return `${short}·10${Array.from(exponent.replace('+', ''), (sign) => superscripts[sign]).join('')}`;
}

/** A number for checking: seven significant digits, readable by programs. */
export const exact = (value: number): string => value.toPrecision(7);

/** A number for links and text fields: as few digits as identify it. */
export const plain = (value: number): string => String(value);

/** xᵢ with its index as a subscript: x₁. */
export function index(i: number): string {
  return Array.from(String(i + 1), (digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]).join('');
}
