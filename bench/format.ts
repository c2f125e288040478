/** How numbers are printed, in tables and in documents. */

/** Three significant digits, never as 1e-3. */
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

/** The margin of error, which takes two measurements. */
export function margin({ rme, samples }: { readonly rme: number; readonly samples: number }): string {
  return samples < 2 ? '–' : percent(rme, 1);
}
