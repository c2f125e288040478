/** The text of the kernels that the page shows, read from the repository when the page is built. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KernelSource {
  readonly file: string;
  /** The number of its first line in the file, from 1. */
  readonly firstLine: number;
  readonly lines: readonly string[];
  /** The lines that compute, as indices into `lines`. */
  readonly lit: readonly number[];
}

const places: Readonly<Record<string, string>> = {
  colMean: 'kernels/batchnorm.ts',
  colVariance: 'kernels/batchnorm.ts',
  reciprocalStd: 'kernels/batchnorm.ts',
  normalize: 'kernels/batchnorm.ts',
  scaleShift: 'kernels/batchnorm.ts',
  colSum: 'kernels/reduce.ts',
  colDot: 'kernels/reduce.ts',
  batchnormDx: 'kernels/batchnorm.ts',
};

/** The declaration of each kernel, with its comment. */
export function kernelSources(root: string): Readonly<Record<string, KernelSource>> {
  return Object.fromEntries(
    Object.entries(places).map(([name, file]) => [name, declarationOf(name, file, root)]),
  );
}

function declarationOf(name: string, file: string, root: string): KernelSource {
  const text = readFileSync(join(root, file), 'utf8').split('\n');
  const at = text.findIndex((line) => line.startsWith(`export const ${name}:`));
  if (at < 0) throw new RangeError(`explorer: ${file} declares no kernel called ${name}`);
  let first = at;
  if (text[at - 1].endsWith('*/')) while (!text[first].startsWith('/**')) first--;
  const last = text.findIndex((line, i) => i > at && /^(?:\}\)?|\));$/.test(line));
  const lines = text.slice(first, last + 1);
  const reference = lines.findIndex((line) => /\], \[(?:m, )?C\].*\) => \{$/.test(line));
  const end = lines.findIndex((line, i) => i > reference && /^ *\}(?:,|\);)$/.test(line));
  const lit = lines.flatMap((line, i) => (i > reference && i < end && / [-+]?= .*;$/.test(line) ? [i] : []));
  return { file, firstLine: first + 1, lines, lit };
}
