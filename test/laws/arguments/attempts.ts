/** Calls of the public API with one wrong argument each, and what came of them. */
import * as library from '../../../src/index.ts';
import * as networks from '../../../src/networks.ts';
import * as node from '../../../src/node.ts';
import * as onnx from '../../../src/onnx.ts';
import { anyKey, type Callable, type Slot, type Step } from './public-api.ts';
import { isIn, rangeOf } from './ranges.ts';
import { stateOf } from './state.ts';
import { taken } from './taken.ts';
import { type Cases, classes, type ClassName, constructors, functions, others } from './valid.ts';
import { numbers, type ValueName, values } from './values.ts';

/** What a call does. All but `refused` and `taken` are wrong. */
export type Outcome =
  'refused' | 'taken' | 'bare error' | 'silent' | 'refused, but changed something' | 'never ends';

export interface Attempt {
  /** The place of the wrong value: `Dense(options.bias)`. */
  readonly slot: string;
  /** The wrong value: `'text'`. */
  readonly value: string;
  readonly outcome: Outcome;
  /** The result, or the error. */
  readonly result: unknown;
}

const main: Readonly<Record<string, unknown>> = { ...library, ...networks, ...onnx };
const forNode = Object.entries(node).map(([name, fn]): [string, unknown] => [
  name in main ? `node.${name}` : name,
  fn,
]);
const api: Readonly<Record<string, unknown>> = { ...main, ...Object.fromEntries(forNode) };
const call = (fn: unknown, args: readonly unknown[], self?: unknown): unknown =>
  Reflect.apply(fn as (...args: unknown[]) => unknown, self, args);

/** A call of one function: how to make valid arguments, and how to call it with others. */
interface Target {
  readonly cases: readonly (() => readonly unknown[])[];
  readonly self: () => unknown; // or a promise of it
  readonly call: (self: unknown, args: readonly unknown[]) => unknown;
}

/** Throws if the tables in `valid.ts` have no line for it. */
export function targetOf({ name, kind }: Callable): Target {
  const noSelf = () => undefined;
  if (kind === 'constructor') {
    const made = constructors[name as keyof typeof constructors];
    const construct = api[name] as new (...args: unknown[]) => object;
    return { cases: listOf(made, name), self: noSelf, call: (_, args) => new construct(...args) };
  }
  if (kind === 'function') {
    const other = others[name] as (typeof others)[string] | undefined;
    const fn = other?.of() ?? api[name];
    const cases = other?.args ?? functions[name as keyof typeof functions];
    return { cases: listOf(cases, name), self: noSelf, call: (_, args) => call(fn, args) };
  }
  const [owner, member] = name.replace(' =', '').split('.');
  const { on, onOthers = {}, members } = classes[owner as ClassName];
  const self = Object.hasOwn(onOthers, member) ? (onOthers[member] ?? on) : on;
  const cases = listOf((members as Record<string, Cases<readonly unknown[]>>)[member], name);
  return kind === 'method'
    ? { cases, self, call: (object, args) => call(Reflect.get(object as object, member), args, object) }
    : { cases, self, call: (object, [value]) => Reflect.set(object as object, member, value) };
}

function listOf(cases: Cases<readonly unknown[]> | undefined, name: string): (() => readonly unknown[])[] {
  if (cases === undefined) throw new Error(`valid.ts has no arguments for ${name}`);
  return typeof cases === 'function' ? [cases] : [...cases];
}

/** Calls the function with each of its arguments replaced by each wrong value. */
export async function attemptAll(callable: Callable): Promise<Attempt[]> {
  const target = targetOf(callable);
  const attempts: Attempt[] = [];
  for (const slot of callable.slots) {
    const name = `${callable.name}(${slot.name})`;
    for (const wrong of wrongValues(name, slot)) {
      const attempted = await attempt(target, slot.path, wrong, name);
      const isTaken = attempted.outcome === 'silent' && taken.some((each) => isAllowed(each, attempted));
      attempts.push(isTaken ? { ...attempted, outcome: 'taken' } : attempted);
    }
  }
  return attempts;
}

function isAllowed({ slot, values: names }: (typeof taken)[number], attempted: Attempt): boolean {
  return (
    attempted.slot.startsWith(slot) && (names === undefined || names.some((name) => name === attempted.value))
  );
}

/** Calls the function with one argument more than it has. */
export function attemptMore(callable: Callable): Promise<Attempt> {
  const more: Wrong = { value: 'one more argument', replace: () => 1 };
  return attempt(targetOf(callable), [callable.count], more, callable.name);
}

/** A wrong value. */
interface Wrong {
  readonly value: string;
  /** Makes it, from the valid value in its place. */
  readonly replace: (valid: unknown) => unknown;
  /** Whether it is a function with a wrong result. It may be called in the middle of the work, after changes. */
  readonly isCallback?: boolean;
}

function wrongValues(name: string, slot: Slot): Wrong[] {
  const range = slot.numeric ? rangeOf(name) : 'any';
  if (range === undefined) throw new Error(`ranges.ts has no range for ${name}`);
  const make = (value: ValueName): (() => unknown) => values[value];
  return [
    ...slot.wrong.map((value): Wrong => ({ value, replace: make(value) })),
    ...numbers.filter((x) => !isIn(range, x)).map((x): Wrong => ({ value: String(x), replace: () => x })),
    ...slot.wrongResults.map((value): Wrong => {
      const returning = (): unknown => make(value)();
      return { value: `a function that returns ${value}`, replace: () => returning, isCallback: true };
    }),
    ...(slot.options
      ? [{ value: 'an unknown option', replace: (valid: unknown) => ({ ...(valid as object), unknown: 1 }) }]
      : []),
  ];
}

async function attempt(
  { cases, self, call }: Target,
  path: readonly Step[],
  { value, replace, isCallback = false }: Wrong,
  slot: string,
): Promise<Attempt> {
  for (const make of cases) {
    const args = replaceAt(make(), path, replace);
    if (args === null) continue;
    const on = await self();
    const before = stateOf([on, args]);
    const { error, result } = await outcomeOf(() => call(on, args as readonly unknown[]));
    if (error === null) return { slot, value, outcome: result === endless ? 'never ends' : 'silent', result };
    if (!isRefusal(error.of)) return { slot, value, outcome: 'bare error', result: error.of };
    const isChanged = !isCallback && stateOf([on, args]) !== before;
    return {
      slot,
      value,
      outcome: isChanged ? 'refused, but changed something' : 'refused',
      result: error.of,
    };
  }
  throw new Error(`no arguments in valid.ts have a value at ${slot}`);
}

const endless = Symbol('endless');

async function outcomeOf(fn: () => unknown): Promise<{ error: { of: unknown } | null; result?: unknown }> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, 2000, endless)));
    const result = fn();
    return { error: null, result: result instanceof Promise ? await Promise.race([result, limit]) : result };
  } catch (error) {
    return { error: { of: error } };
  } finally {
    clearTimeout(timer);
  }
}

/** Whether it is an error of this library that says what to do: `op: what is wrong. Hint: what to do`. */
function isRefusal(error: unknown): boolean {
  return error instanceof library.GammaBetaError && /^[^:]+: .+\. Hint: .+/s.test(error.message);
}

/** A copy with another value at the path. Null if there is no such place. */
function replaceAt(within: unknown, path: readonly Step[], replace: Wrong['replace']): unknown {
  if (path.length === 0) return replace(within);
  const [first, ...rest] = path;
  if (typeof first === 'number') {
    if (!Array.isArray(within) || (rest.length > 0 && first >= within.length)) return null;
    const inner = replaceAt(within[first], rest, replace);
    if (inner === null && rest.length > 0) return null;
    const copy: unknown[] = [...(within as unknown[])];
    while (copy.length < first) copy.push(undefined);
    copy[first] = inner;
    return copy;
  }
  if (typeof within !== 'object' || within === null || Object.getPrototypeOf(within) !== Object.prototype)
    return null;
  const key = first === anyKey ? Object.keys(within)[0] : first;
  const inner = replaceAt(Reflect.get(within, key), rest, replace);
  return inner === null && rest.length > 0 ? null : { ...within, [key]: inner };
}
