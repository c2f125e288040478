/** Checks of the saved states of models and optimizers, which are tensors and numbers by name. */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape } from '../../kernels/shape.ts';
import { type GammaBetaError, shown, ValueError } from './errors.ts';

/** A description of each entry of a state, by name: `a number`, `a tensor of shape [2, 3]`. */
export type Forms = ReadonlyMap<string, string>;

export function formsOf(state: Readonly<Record<string, unknown>>): Forms {
  const formOf = (entry: unknown): string => (typeof entry === 'number' ? 'a number' : shown(entry));
  return new Map(Object.entries(state).map(([name, entry]) => [name, formOf(entry)]));
}

/** The description of a tensor of this shape. */
export const tensorOf = (shape: Shape): string => `a tensor of shape ${formatShape(shape)}`;

/**
 * How a state differs from the expected one: the entries that are missing, unexpected, or of another form. Missing and
 * unexpected ones only count if `strict` is true.
 */
export function misfits(expected: Forms, found: Forms, strict = true): string[] {
  const missing = [...expected.keys()].filter((name) => strict && !found.has(name));
  const unexpected = [...found.keys()].filter((name) => strict && !expected.has(name));
  const listed = Object.entries({ missing, unexpected }).filter(([, names]) => names.length > 0);
  const others = [...expected].filter(([name, form]) => (found.get(name) ?? form) !== form);
  return [
    ...listed.map(([problem, names]) => `${problem}: ${names.join(', ')}`),
    ...others.map(([name, form]) => `${name} is ${found.get(name)}, not ${form}`),
  ];
}

/** Converts the entry `name` by calling `load`. A {@link ValueError} becomes an error of the class `Misfit`. */
export function loading<T>(Misfit: typeof GammaBetaError, op: string, name: string, load: () => T): T {
  try {
    return load();
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    throw new Misfit(op, `${name} cannot be loaded: ${cause.problem}`, cause.hint, { cause });
  }
}

/** Whether the value is an object, and no array, Map or tensor. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
