/** Formats numbers for charts, tables and text. */

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Up to four significant digits: `0.9481`, `17,190`, `−2.5·10⁻⁷`; `–` for NaN and infinity. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 0) return `−${formatNumber(-value)}`;
  if (value === 0) return '0';
  const rounded = Number.isInteger(value) && value < 1e6 ? value : Number(value.toPrecision(4));
  if (rounded >= 1e-3 && rounded < 1e6) return withCommas(rounded);
  const [digits, exponent] = rounded.toExponential().split('e');
  const power = `10${superscript(Number(exponent))}`;
  return digits === '1' ? power : `${digits}·${power}`;
}

/** `0.948` → `94.8 %`. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The text with a non-breaking space between each number and its %. */
export function unbroken(text: string): string {
  return text.replaceAll(/(\d) %/g, '$1\u00a0%');
}

function withCommas(value: number): string {
  const [whole, ...fraction] = String(value).split('.');
  return [whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ','), ...fraction].join('.');
}

function superscript(value: number): string {
  const digits = String(Math.abs(value)).replaceAll(/\d/g, (digit) => superscripts[Number(digit)]);
  return value < 0 ? `⁻${digits}` : digits;
}
