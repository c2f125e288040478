import { writeAtomically } from './write-atomically.ts';

export function writeJson(
  file: string,
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): Promise<void> {
  return writeAtomically(file, `${JSON.stringify(value, replacer, 1)}\n`);
}
