/**
 * Who may free a tensor's memory, on devices without a garbage collector.
 *
 * User code never frees: it may keep every tensor that it has seen, for as long as it likes. Most of what a training
 * step computes it never sees, and that is freed as soon as it has been used. Leaving this out costs about 15 % at
 * batch 32.
 *
 * - `track(x)` notes new memory: it belongs to the library code that is running, if any.
 * - `enclose(fn)` runs library code and frees what it allocated, except its results.
 * - `reveal(values, fn)` runs user code: it sees the values, and what it allocates is its own.
 *
 * What is needed for a backward pass is not freed at once: it belongs to a node of the tape, and is freed with it.
 * Only `op.ts`, `autodiff.ts` and `user-code.ts` import this file (and `index.ts`, for the public `scope`).
 */
import type { Storage } from './device/device.ts';
import { GraphError } from './errors.ts';
import type { Node } from './tape.ts';
import { Value } from './value.ts';

/** Code that is running, and what it has allocated. */
interface Section {
  readonly allocated: Value[];
  /** Code of the library, whose temporaries nobody else sees; false for the function given to `scope`. */
  readonly library: boolean;
  readonly outer: Section | null;
}

/** Null while user code runs. */
let section: Section | null = null;

/** Memory that user code may hold. */
const seen = new WeakSet<Storage>();

// ── the verbs ──────────────────────────────────────────────────────────────────────────────────────────

/** Notes new memory. Call it for every value in memory of its own. */
export function track<T extends Value>(x: T): T {
  section?.allocated.push(x);
  return x;
}

/**
 * Runs library code. Of the values that it allocates, only those that it returns stay: they belong to the caller. All
 * others are freed: at once, or, if a result is on the tape, with the tape. Of several results, the newest on the tape
 * owns the others.
 */
export function enclose<T>(fn: () => T): T {
  const { result, allocated } = inSection(true, fn);
  if (allocated.length === 0) return result;
  if (result instanceof Value) {
    if (take(allocated, result.storage)) track(result);
    own(result.node, allocated);
    return result;
  }
  const results = valuesIn(result);
  const root = results.reduce<Node | null>((newest, { node }) => laterOf(newest, node), null);
  for (const y of results) if ((root === null || y.node === root) && take(allocated, y.storage)) track(y);
  own(root, allocated);
  return result;
}

/**
 * Runs user code, which sees these values and may keep them. What was allocated to compute a value now belongs to its
 * node of the tape, since user code may branch off there.
 */
export function reveal<T>(values: readonly Value[], fn: () => T): T {
  for (const x of values) {
    seen.add(x.storage);
    if (x.node === null) continue;
    for (let within = section; within?.library; within = within.outer) {
      const allocated = within.allocated.splice(0);
      take(allocated, x.storage);
      own(x.node, allocated);
    }
  }
  const before = section;
  section = null;
  try {
    return fn();
  } finally {
    section = before;
  }
}

/** Marks a value that outlives the code that made it: a parameter, a buffer, the state of an optimizer. */
export function keep<T extends Value>(x: T): T {
  seen.add(x.storage);
  return x;
}

/**
 * Runs `fn` and frees what it computed at once, except for the tensors that it returns, by themselves or in arrays and
 * objects. Parameters, buffers, gradients and optimizer state stay.
 *
 * It is never needed: memory manages itself. But on `wasm`, which has no garbage collector, a loop that makes large
 * tensors and drops them is faster with it, since the library cannot know what the program has dropped.
 *
 * @returns What `fn` returns.
 * @throws {GraphError} `fn` is asynchronous; the rest of it would run after everything is freed.
 * @throws {DeviceError} From an op that uses a tensor that was freed (on `cpu` they stay).
 * @example
 * ```ts
 * import { scope, tensor } from 'gammabeta';
 *
 * const norm = scope(() => tensor([3, 4]).pow(2).sum().sqrt().item());
 * console.log(norm); // 5
 * ```
 */
export function scope<T>(fn: () => T): T {
  const { result, allocated } = inSection(false, fn);
  if (result instanceof Promise) {
    throw new GraphError(
      'scope',
      'the function is asynchronous',
      'await outside, and call scope around what computes',
    );
  }
  const results = valuesIn(result);
  for (const y of results) if (take(allocated, y.storage)) track(y);
  const roots = results.filter(({ node }) => node !== null);
  // A result on the tape needs what it was computed from. If there are several, none of them may free it alone.
  if (roots.length <= 1) own(roots.at(0)?.node ?? null, allocated);
  return result;
}

// ── gradients ──────────────────────────────────────────────────────────────────────────────────────────

/** The gradient of a leaf. User code that reads it may keep it. */
export function gradientOf(x: Value): Value | null {
  if (x.accumulated !== null && !section?.library) seen.add(x.accumulated.storage);
  return x.accumulated;
}

/** Sets the gradient of a leaf, and frees the one before, unless user code has seen that. */
export function setGradient(x: Value, g: Value | null): void {
  if (g !== null && !takeFromLibrary(g.storage)) seen.add(g.storage);
  replaceGradient(x, g);
}

/** A leaf, and its gradient. */
type LeafGradient = readonly [leaf: Value, g: Value];

/** A gradient that waits for the op, or the leaf, whose value it belongs to. */
interface Waiting {
  readonly g: Value;
  /** Whether the backward pass allocated its memory, and may free it. */
  own: boolean;
}

/**
 * The gradients of one backward pass, by the op that computed their value, or by the leaf: a map that frees each
 * gradient once it has been taken out and used. Several gradients may share one piece of memory: `add` passes g on to
 * both inputs, and a reshaped g is a view. Few gradients wait at any time, so a search through them is fast.
 */
export class GradientMap {
  private readonly waiting = new Map<Node | Value, Waiting>();
  /** Gradients that were added since the last sweep: only they can use the memory that was allocated since. */
  private readonly added: Waiting[] = [];
  /** Gradients that were taken out or replaced since the last sweep. */
  private readonly spent: Waiting[] = [];

  get(key: Node | Value): Value | undefined {
    return this.waiting.get(key)?.g;
  }

  set(key: Node | Value, g: Value): void {
    const before = this.waiting.get(key);
    if (before !== undefined) this.spent.push(before);
    const waiting = { g, own: false };
    this.waiting.set(key, waiting);
    this.added.push(waiting);
  }

  /** Takes a gradient out. The caller has it until the next call. */
  take(key: Node | Value): Value | undefined {
    this.sweep();
    const found = this.waiting.get(key);
    if (found === undefined) return undefined;
    this.waiting.delete(key);
    this.spent.push(found);
    return found.g;
  }

  /** The gradients of the leaves: those that are left when the walk has taken out the others. */
  leaves(): readonly LeafGradient[] {
    this.sweep();
    return Array.from(this.waiting, ([leaf, { g }]): LeafGradient => [leaf as Value, g]);
  }

  /** Gives each leaf its new gradient, and frees what only the pass or the graph needed. */
  finish(nodes: readonly Node[], totals: readonly LeafGradient[]): void {
    const rest = [...this.waiting];
    this.waiting.clear();
    totals.forEach(([leaf, total], k) => {
      const [, { g, own }] = rest[k];
      const isShared = rest.some(([, other], at) => at !== k && other.g.storage === g.storage);
      if (total !== g && own && !isShared) free(g);
      if (total === g && (!own || isShared)) seen.add(g.storage); // two leaves have it, or user code gave it
      replaceGradient(leaf, total);
    });
    const kept = new Set(totals.map(([, total]) => total.storage));
    for (const node of nodes) {
      for (const x of node.owned) if (!kept.has(x.storage)) free(x);
      node.owned = [];
    }
  }

  /** Frees the gradients that were used, and what the last op allocated beside its gradients. */
  private sweep(): void {
    for (const x of section?.allocated.splice(0) ?? []) if (!passOn(x, this.added)) free(x);
    this.added.length = 0;
    for (const { g, own } of this.spent) if (own && !passOn(g, [...this.waiting.values()])) free(g);
    this.spent.length = 0;
  }
}

/** Lets the pass own the gradients that use this memory; false if there are none. */
function passOn({ storage }: Value, gradients: readonly Waiting[]): boolean {
  let isUsed = false;
  for (const waiting of gradients) {
    if (waiting.g.storage !== storage) continue;
    waiting.own = true;
    isUsed = true;
  }
  return isUsed;
}

/** Runs the walk of a backward pass, which returns the new gradient of each leaf, and then sets them all. */
export function backwardPass(
  nodes: readonly Node[],
  walk: (gradients: GradientMap) => readonly LeafGradient[],
): void {
  const gradients = new GradientMap();
  const { result: totals } = inSection(true, () => walk(gradients));
  gradients.finish(nodes, totals);
}

function replaceGradient(leaf: Value, g: Value | null): void {
  if (leaf.accumulated !== null && leaf.accumulated.storage !== g?.storage) free(leaf.accumulated);
  leaf.accumulated = g;
}

// ── the parts ──────────────────────────────────────────────────────────────────────────────────────────

function inSection<T>(library: boolean, fn: () => T): { readonly result: T; readonly allocated: Value[] } {
  const outer = section;
  const allocated: Value[] = [];
  section = { allocated, library, outer };
  try {
    return { result: fn(), allocated };
  } finally {
    section = outer;
  }
}

/** Gives values to a node of the tape, which is freed after its backward pass; without a node, frees them now. */
function own(node: Node | null, values: readonly Value[]): void {
  if (node !== null) for (const x of values) node.owned.push(x);
  else for (const x of values) free(x);
}

/** Takes memory out of a list; false if it is not there. */
function take(allocated: Value[], storage: Storage): boolean {
  const at = allocated.findIndex((x) => x.storage === storage);
  if (at >= 0) allocated.splice(at, 1);
  return at >= 0;
}

/** Takes memory out of what the running library code has allocated; false if it is not there. */
function takeFromLibrary(storage: Storage): boolean {
  for (let within = section; within?.library; within = within.outer) {
    if (take(within.allocated, storage)) return true;
  }
  return false;
}

function free({ storage, home }: Value): void {
  if (!seen.has(storage)) home.free(storage);
}

function laterOf(a: Node | null, b: Node | null): Node | null {
  return a === null || (b !== null && b.id > a.id) ? b : a;
}

/** The values in a result: itself, or those in arrays and plain objects, at any depth. */
function valuesIn(result: unknown): Value[] {
  if (typeof result !== 'object' || result === null) return [];
  if (result instanceof Value) return [result];
  const isPlain = Array.isArray(result) || Object.getPrototypeOf(result) === Object.prototype;
  return isPlain ? Object.values(result).flatMap(valuesIn) : [];
}
