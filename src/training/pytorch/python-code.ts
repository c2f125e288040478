/** Values as Python code. */

/** What `pythonValue` writes. */
export type PythonValue =
  number | boolean | string | null | readonly PythonValue[] | { readonly [key: string]: PythonValue };

/** A value as a Python literal. */
export function pythonValue(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(pythonValue).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${pythonValue(each)}`)
    .join(', ')}}`;
}

/** The arguments of a call: `3, 4, bias=False`. */
export function pythonArguments(
  positional: readonly PythonValue[],
  named: Readonly<Record<string, string>> = {},
): string {
  return [
    ...positional.map(pythonValue),
    ...Object.entries(named).map(([name, code]) => `${name}=${code}`),
  ].join(', ');
}

function isList(value: object): value is readonly PythonValue[] {
  return Array.isArray(value);
}
