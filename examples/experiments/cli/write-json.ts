import { writeAtomically } from './write-atomically.ts';

/** Writes indented JSON, with each array of numbers on one line. */
export function writeJson(
  file: string,
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): Promise<void> {
  const text = JSON.stringify(value, replacer, 1).replaceAll(
    /\[\n\s*(-?\d[-+\d.e,\s]*?)\n\s*\]/g,
    (_, numbers: string) => `[${numbers.replaceAll(/\s+/g, ' ')}]`,
  );
  return writeAtomically(file, `${text}\n`);
}
