/** Formats numbers for tables and documents. */

/** Three significant digits, without an exponent. */
export function digits(value: number): string {
  const decimals = 2 - Math.floor(Math.log10(Math.abs(value) || 1));
  return value.toFixed(Math.min(6, Math.max(0, decimals)));
}

export function milliseconds(seconds: number): string {
  return digits(1000 * seconds);
}

export function percent(value: number, decimals = 0): string {
  return `${value.toFixed(decimals)} %`;
}

/** The margin of error; a single measurement has none. */
export function margin({ rme, samples }: { readonly rme: number; readonly samples: number }): string {
  return samples < 2 ? '–' : percent(rme, 1);
}
