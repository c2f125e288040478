/** What test runners compare of tensors. */
import { readable } from './print.ts';
import type { Value } from './value.ts';

let unread = 0;

/**
 * A number that is equal for equal values and, for practical purposes, different for different values: a hash of their
 * bits. It is different at each call for a tensor on a GPU, where reading takes time, and for one that was freed: these
 * are equal to no other tensor.
 */
export function fingerprint(x: Value): number {
  const values = readable(x);
  if (typeof values === 'string') return ++unread;
  return new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4).reduce((before, bits) => {
    const product = Math.imul(before ^ bits, 0x9e3779b1);
    return product ^ (product >>> 15);
  }, 1);
}
