import { isDetached, shown, TRANSFERRED } from '../tensor/errors.ts';
import { kindOf } from './arrays.ts';
import { DataError } from './data-error.ts';

/**
 * The bytes of a file, as a Uint8Array that shares their memory.
 *
 * @throws {DataError} The file is neither a Uint8Array nor an ArrayBuffer.
 */
export function bytesOf(op: string, file: Uint8Array | ArrayBuffer): Uint8Array {
  const kind = kindOf(file);
  if (isDetached(file)) throw new DataError(op, `the file is ${shown(file)}`, TRANSFERRED);
  if (kind === 'ArrayBuffer') return new Uint8Array(file as ArrayBuffer);
  if (kind === 'Uint8Array') return file as Uint8Array;
  throw new DataError(op, `the file is not a Uint8Array or an ArrayBuffer: ${shown(file)}`, hintFor(kind));
}

function hintFor(kind: string): string {
  if (kind === 'Response' || kind === 'Blob' || kind === 'File') return 'pass await file.arrayBuffer()';
  if (kind === 'Promise') return 'await it first';
  if (kind === 'String') return 'read the file without an encoding: a string does not hold its bytes';
  return 'pass its bytes, such as new Uint8Array(await response.arrayBuffer())';
}
