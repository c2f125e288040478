/**
 * Replaces the integer constants of a thread by their values, written out where they are used.
 *
 * gpu.js declares `const i = this.thread.y` as a float in the shader: of all variables, only loop counters are
 * integers. An index computed in floats is wrong beyond 2²⁴ elements; one computed from thread, constants and loop
 * counters is an integer. So every `const` that is computed from such integers alone is removed, and its value, in
 * parentheses, replaces its name.
 */
export function inlineIntegers(text: string, integerArguments: readonly string[]): string {
  const integers = new Set([...integerArguments, ...counters(text)]);
  const values = new Map<string, string>();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const replaced = withValues(line, values);
    const found = declarations(replaced);
    if (found.length > 0 && found.every(([, value]) => isInteger(value, integers))) {
      for (const [name, value] of found) define(name, value, values, integers);
    } else {
      lines.push(replaced);
    }
  }
  return lines.join('\n');
}

type Declaration = readonly [name: string, value: string];

/** The declarations of a line: `const i = …;`, or `const { x: j, y: i } = this.thread;`. */
function declarations(line: string): Declaration[] {
  const one = /^\s*const (\w+) = (.+);$/.exec(line);
  if (one !== null) return [[one[1], one[2]]];
  const several = /^\s*const \{ (.+) \} = (this\.\w+);$/.exec(line);
  if (several === null) return [];
  const [, list, from] = several;
  return list.split(', ').map((pair): Declaration => {
    const [key, alias = key] = pair.split(': ');
    return [alias, `${from}.${key}`];
  });
}

function isInteger(value: string, integers: ReadonlySet<string>): boolean {
  const rest = value.replaceAll(/this\.(thread|constants)\.\w+/g, '0');
  if (!/^[\w\s+*()-]+$/.test(rest)) return false;
  return [...rest.matchAll(/\w+/g)].every(([word]) => /^\d+$/.test(word) || integers.has(word));
}

function define(
  name: string,
  value: string,
  values: Map<string, string>,
  integers: ReadonlySet<string>,
): void {
  const whole = /^[\w.]+$/.test(value) ? value : `(${value})`;
  if (integers.has(name) || (values.get(name) ?? whole) !== whole) {
    throw new Error(`'${name}' is declared twice, again as ${value}. Hint: rename one of the two`);
  }
  values.set(name, whole);
}

/** The loop counters, which gpu.js declares as integers. */
function counters(text: string): string[] {
  return [...text.matchAll(/for \(let (\w+) = /g)].map(([, name]) => name);
}

function withValues(line: string, values: ReadonlyMap<string, string>): string {
  if (values.size === 0 || /^\s*const \{/.test(line)) return line;
  return line.replaceAll(/(?<!const |[\w.])[A-Za-z_]\w*/g, (word) => values.get(word) ?? word);
}
