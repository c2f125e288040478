import { shown } from '../../tensor/errors.ts';

/** The largest depth of nesting. */
const DEEPEST = 500;

/**
 * The JSON text of a value, from which `JSON.parse` makes the same value. `JSON.stringify` silently changes others: it
 * turns NaN into null and a Date into a string, and leaves out undefined members.
 *
 * @param refuse Makes the error for a value that would be changed.
 */
export function exactJson(value: unknown, refuse: (problem: string) => Error): string {
  const above = new Set<object>(); // the arrays and objects that contain the current value
  const write = (part: unknown, name: string): string => {
    const named = (what: string): string => `${name === '' ? '' : `${name} is `}${what}`;
    if (part === null || typeof part === 'boolean') return String(part);
    if (typeof part === 'string') return JSON.stringify(part);
    if (typeof part === 'number' && Number.isFinite(part)) return Object.is(part, -0) ? '-0' : String(part);
    if (typeof part !== 'object') throw refuse(named(typeof part === 'number' ? String(part) : shown(part)));
    if (above.has(part)) throw refuse(named('part of itself'));
    if (above.size === DEEPEST) throw refuse(named(`nested in ${DEEPEST} arrays and objects`));
    const keys = Object.keys(part);
    const others = Reflect.ownKeys(part).length - keys.length;
    above.add(part);
    let text: string;
    if (Array.isArray(part)) {
      if (keys.length !== part.length || others !== 1) {
        throw refuse(named('an Array with empty places or other members'));
      }
      text = `[${part.map((entry, i) => write(entry, String(i))).join(',')}]`;
    } else {
      if (!isPlain(part)) throw refuse(named(shown(part)));
      if (others > 0) throw refuse(named('an Object with symbols or hidden members'));
      text = `{${Object.entries(part)
        .map(([key, member]) => `${JSON.stringify(key)}:${write(member, key)}`)
        .join(',')}}`;
    }
    above.delete(part);
    return text;
  };
  return write(value, '');
}

/** Whether an object is no instance of a class. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
