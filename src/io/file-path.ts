import { fileURLToPath } from 'node:url';
import { shown, ValueError } from '../tensor/errors.ts';

/**
 * The path of a file that is given as a path or as a `file:` URL.
 * @throws {ValueError} It is neither.
 */
export function filePath(op: string, given: string | URL): string {
  const isText = typeof given === 'string' && given !== '' && !given.includes('\0');
  const isUrl = given instanceof URL || (isText && /^file:\/\//i.test(given));
  if (isText && !isUrl) return given;
  try {
    if (isUrl) return fileURLToPath(given);
  } catch {
    // another protocol, or a host
  }
  const found = given instanceof URL ? given.href : shown(given);
  throw new ValueError(op, `the path is ${found}`, 'pass a path, or a file: URL');
}
