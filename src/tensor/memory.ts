/**
 * Frees tensors early, on devices without a garbage collector. Results do not depend on this file.
 *
 * Users never free tensors, and may keep every tensor that they see. But most tensors of a training step are
 * temporaries that no user code sees: a product before its bias is added, or the gradient of an activation. These are
 * freed right after their last use, so that the next op gets the same memory, which is still in the processor's cache.
 * Without early freeing, a training step at batch 32 takes about 15 % longer. All other tensors are left to the device.
 *
 * Every tensor has one of four owners:
 *
 * - the library call that allocated it, which frees it when it returns;
 * - the caller, if the tensor is a result of that call;
 * - a node of the tape, if its backward pass needs the tensor: it is freed together with the graph;
 * - user code, if it has seen the tensor: this file then never frees it.
 *
 * Three verbs assign the owners:
 *
 * - `track(x)` registers a new tensor with the library call that is running, if there is one.
 * - `enclose(fn, args)` runs library code, and frees what it allocated except for its results.
 * - `reveal(values, fn)` runs user code, which sees `values` and owns what it allocates.
 *
 * `keep` marks a single tensor as seen, and the public `scope` is `enclose` for user code. Everything below these is
 * for `backward` alone. Only `op.ts`, `autodiff.ts` and `user-code.ts` import this file, and `index.ts` for `scope`.
 */
import type { Storage } from './device/device.ts';
import { expectFunction, GraphError } from './errors.ts';
import { type Node, none, unrecorded } from './tape.ts';
import { Value } from './value.ts';

/** A running call of `enclose` or `scope`, and the tensors that it owns. */
interface Section {
  readonly allocated: Value[];
  /** True for library code, whose temporaries no other code sees; false for the function passed to `scope`. */
  library: boolean;
  outer: Section | null;
}

/** The innermost section; null while user code runs outside `scope`. */
let section: Section | null = null;

/** The running sections, in the order in which they began; then those that ended, to be used again by the next ops. */
const sections: Section[] = [];
let running = 0;

/** Storage that is never freed here: user code or a layer may refer to it. */
const seen = new WeakSet<Storage>();

// ── the verbs ──────────────────────────────────────────────────────────────────────────────────────────

/** Registers a tensor with new storage, so that the running section owns it. Call it once for each allocation. */
export function track<T extends Value>(x: T): T {
  section?.allocated.push(x);
  return x;
}

/**
 * Runs library code and returns its result, which the caller then owns. All other tensors that it allocated are freed:
 * now, or, if the result has a node on the tape, together with the graph. Several results, if they are on the tape,
 * belong to the newest of their nodes, too: they are freed after its backward pass.
 */
export function enclose<A extends readonly unknown[], T>(fn: (...args: A) => T, args: A): T {
  const { allocated } = begin(true);
  let result: T;
  try {
    result = fn(...args);
  } finally {
    end();
  }
  if (allocated.length === 0) return result;
  if (result instanceof Value) {
    if (take(allocated, result.storage)) track(result);
    own(result.node, allocated);
    return result;
  }
  const results = valuesIn(result);
  const root = results.reduce<Node | null>((newest, { node }) => laterOf(newest, node), null);
  if (root === null) for (const y of results) if (take(allocated, y.storage)) track(y);
  own(root, allocated);
  return result;
}

/**
 * Runs user code, which sees the values and may keep them. For each value on the tape, its node becomes the owner of
 * the tensors that the running library calls have allocated so far: user code may call `backward` on the value, now or
 * later.
 */
export function reveal<T>(values: readonly Value[], fn: () => T): T {
  for (const x of values) {
    seen.add(x.storage);
    if (x.node === null) continue;
    for (let within = section; within?.library; within = within.outer) {
      take(within.allocated, x.storage);
      own(x.node, within.allocated);
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

/** Marks a tensor that outlives the code that made it, such as a parameter, a buffer or optimizer state. Returns it. */
export function keep<T extends Value>(x: T): T {
  seen.add(x.storage);
  return x;
}

/**
 * Runs `fn` and then frees the tensors that it made, except for those that it returns, alone or in arrays and objects.
 * Parameters, buffers, gradients and optimizer state are not freed. Like `tf.tidy` in TensorFlow.js.
 *
 * Programs work without it, because the library manages memory. On `wasm`, a loop that makes many large tensors is
 * faster with it: WebAssembly memory has no garbage collector, so the library cannot tell which tensors are still in
 * use.
 *
 * @returns The result of `fn`.
 * @throws {ValueError} `fn` is not a function.
 * @throws {GraphError} `fn` is asynchronous: the code after its first `await` would use freed tensors.
 * @throws {DeviceError} From an op that uses a freed tensor. (On `cpu` nothing is freed.)
 * @example
 * ```ts
 * import { scope, tensor } from 'gammabeta';
 *
 * const norm = scope(() => tensor([3, 4]).pow(2).sum().sqrt().item());
 * console.log(norm); // 5
 * ```
 */
export function scope<T>(fn: () => T): T {
  expectFunction('scope', 'fn', fn);
  const { allocated } = begin(false);
  let result: T;
  try {
    result = fn();
  } finally {
    end();
  }
  if (result instanceof Promise) {
    throw new GraphError(
      'scope',
      'the function is asynchronous',
      'await before or after scope, and pass only the computation',
    );
  }
  const results = valuesIn(result);
  for (const y of results) if (take(allocated, y.storage)) track(y);
  const roots = results.filter(({ node }) => node !== null);
  // A result on the tape needs the tensors that it was computed from. Several results may share them: then keep all.
  if (roots.length <= 1) own(roots.at(0)?.node ?? null, allocated);
  clear(allocated);
  return result;
}

// ── gradients ──────────────────────────────────────────────────────────────────────────────────────────

/** Reads the gradient of a leaf. If user code reads it, it may keep it. */
export function gradientOf(x: Value): Value | null {
  if (x.accumulated !== null && !section?.library) seen.add(x.accumulated.storage);
  return x.accumulated;
}

/** Sets the gradient of a leaf and frees the previous one, unless user code has seen it. */
export function setGradient(x: Value, g: Value | null): void {
  if (g !== null && !takeFromLibrary(g.storage)) seen.add(g.storage);
  replaceGradient(x, g);
}

/** A gradient in the map. */
interface Waiting {
  readonly g: Value;
  /** Its place in the list. */
  at: number;
  /** Whether the backward pass allocated its storage, and so may free it. */
  own: boolean;
}

/**
 * The gradients of one backward pass: a map from nodes and leaves to gradients, which also frees each gradient after
 * its last use. Gradients may share storage, because the backward pass of `add` returns g twice and that of `reshape`
 * returns a view. So storage is freed only when no gradient in the map uses it. The map holds few gradients at a time,
 * so they are also in a list, which is searched instead of counting references.
 */
export class GradientMap {
  private readonly waiting = new Map<Node | Value, Waiting>();
  private readonly list: Waiting[] = [];
  /** Gradients that were added since the last sweep. Only these can use storage that was allocated since then. */
  private readonly added: Waiting[] = [];
  /** Gradients that were taken or replaced since the last sweep. */
  private readonly spent: Waiting[] = [];
  private readonly section: Section;

  constructor(section: Section) {
    this.section = section;
  }

  get(key: Node | Value): Value | undefined {
    return this.waiting.get(key)?.g;
  }

  set(key: Node | Value, g: Value): void {
    const before = this.waiting.get(key);
    if (before !== undefined) this.spend(before);
    const waiting = { g, at: this.list.length, own: false };
    this.waiting.set(key, waiting);
    this.list.push(waiting);
    this.added.push(waiting);
  }

  /** Removes a gradient and returns it. The caller may use it until the next call. */
  take(key: Node | Value): Value | undefined {
    this.sweep();
    const found = this.waiting.get(key);
    if (found === undefined) return undefined;
    this.waiting.delete(key);
    this.spend(found);
    return found.g;
  }

  /** The leaves that have a gradient: the keys that are left when the walk has taken the gradients of all nodes. */
  leaves(): Iterable<Value> {
    this.sweep();
    return this.waiting.keys() as Iterable<Value>;
  }

  /** Sets the gradient of each leaf, and frees the tensors that only the graph needed. */
  finish(nodes: readonly Node[]): void {
    this.waiting.forEach((waiting, leaf) => {
      // Shared by two leaves, or passed in by user code: it stays until it is collected.
      if (!waiting.own || this.isShared(waiting)) seen.add(waiting.g.storage);
      replaceGradient(leaf as Value, waiting.g);
    });
    for (const node of nodes) {
      for (const x of node.owned) free(x);
      node.owned = none;
    }
  }

  /**
   * Frees the gradients that were used, and then the temporaries of the last node: the next op reuses what was freed
   * last, which is still in the processor's cache.
   */
  sweep(): void {
    const { allocated } = this.section;
    for (const x of allocated) passOn(x, this.added);
    for (const { g, own } of this.spent) if (own && !passOn(g, this.list)) free(g);
    for (const x of allocated) if (!passOn(x, this.added)) free(x);
    clear(allocated);
    clear(this.added);
    clear(this.spent);
  }

  /** Moves a gradient from the list to those that the next sweep frees. */
  private spend(waiting: Waiting): void {
    const last = this.list.pop();
    if (last !== undefined && last !== waiting) {
      this.list[waiting.at] = last;
      last.at = waiting.at;
    }
    this.spent.push(waiting);
  }

  private isShared(waiting: Waiting): boolean {
    return this.list.some((other) => other !== waiting && other.g.storage === waiting.g.storage);
  }
}

/** Makes the backward pass the owner of the gradients that use this storage. False if no gradient uses it. */
function passOn({ storage }: Value, gradients: readonly Waiting[]): boolean {
  let isUsed = false;
  for (let k = 0; k < gradients.length; k++) {
    if (gradients[k].g.storage !== storage) continue;
    gradients[k].own = true;
    isUsed = true;
  }
  return isUsed;
}

/**
 * Runs the walk of a backward pass, whose ops are not recorded. The walk leaves the new gradient of each leaf in the map;
 * then these gradients are set.
 */
export function backwardPass(nodes: readonly Node[], walk: (gradients: GradientMap) => void): void {
  const gradients = new GradientMap(begin(true));
  try {
    unrecorded(walk, [gradients]);
    gradients.sweep();
  } finally {
    end();
  }
  gradients.finish(nodes);
}

function replaceGradient(leaf: Value, g: Value | null): void {
  if (leaf.accumulated !== null) free(leaf.accumulated);
  leaf.accumulated = g;
}

// ── helpers ────────────────────────────────────────────────────────────────────────────────────────────

/** Begins a section inside the running one. */
function begin(library: boolean): Section {
  const begun = (sections[running++] ??= { allocated: [], library, outer: null });
  clear(begun.allocated); // after an error, the tensors of its last use are still there
  begun.library = library;
  begun.outer = section;
  section = begun;
  return begun;
}

/** Ends the section that began last. */
function end(): void {
  section = sections[--running].outer;
}

/**
 * Makes a node the owner of the tensors in a list, so that they are freed together with the graph. Without a node, frees
 * them now. The list is empty then.
 */
function own(node: Node | null, list: Value[]): void {
  if (list.length === 0) return;
  if (node !== null) node.owned = node.owned.concat(list);
  else for (const x of list) free(x);
  clear(list);
}

/** Empties a list. Unlike `length = 0`, it leaves the list its memory, for the next use. */
function clear(list: unknown[]): void {
  while (list.length > 0) list.pop();
}

/** Removes the tensor with this storage from a list. False if the list does not contain it. */
function take(allocated: Value[], storage: Storage): boolean {
  for (let at = 0; at < allocated.length; at++) {
    if (allocated[at].storage !== storage) continue;
    allocated[at] = allocated[allocated.length - 1];
    allocated.pop();
    return true;
  }
  return false;
}

/** Removes the tensor with this storage from the running library sections. False if they do not own it. */
function takeFromLibrary(storage: Storage): boolean {
  for (let within = section; within?.library; within = within.outer) {
    if (take(within.allocated, storage)) return true;
  }
  return false;
}

function free({ storage, home }: Value): void {
  if (!seen.has(storage)) home.free(storage);
}

/** The newer of two nodes. */
function laterOf(a: Node | null, b: Node | null): Node | null {
  return a === null || (b !== null && b.id > a.id) ? b : a;
}

/** The tensors in a result: the result itself, or those in arrays and plain objects, at any depth. */
function valuesIn(result: unknown): Value[] {
  if (typeof result !== 'object' || result === null) return [];
  if (result instanceof Value) return [result];
  const isPlain = Array.isArray(result) || Object.getPrototypeOf(result) === Object.prototype;
  return isPlain ? Object.values(result).flatMap(valuesIn) : [];
}
