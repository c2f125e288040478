/**
 * Who may free a tensor's memory. User code never does: it may hold any tensor it has seen, for as long as it
 * likes. But most of what a training step computes it never sees, and that is freed as soon as it is done
 * with, on devices whose memory no garbage collector looks after.
 */
import type { Storage } from './device/device.ts';
import { GraphError } from './errors.ts';
import type { Tensor } from './tensor.ts';

/** Code that runs, the tensors it has allocated, and the code that called it. */
interface Section {
  readonly allocations: Tensor[];
  /** Library code, whose allocations no user code has seen; otherwise that of a `scope`. */
  readonly enclosed: boolean;
  readonly outer: Section | null;
}

/** Null while user code runs. */
let section: Section | null = null;

/** To be called for every tensor in new memory. */
export function allocated(x: Tensor): Tensor {
  section?.allocations.push(x);
  return x;
}

/** Runs code, and returns its result and what it allocated. */
export function collecting<T>(
  fn: (allocations: Tensor[]) => T,
  enclosed = true,
): { readonly result: T; readonly allocations: Tensor[] } {
  const outer = section;
  const allocations: Tensor[] = [];
  section = { allocations, enclosed, outer };
  try {
    return { result: fn(allocations), allocations };
  } finally {
    section = outer;
  }
}

/** Runs user code: what it allocates is its own. */
export function exposed<T>(fn: () => T): T {
  const before = section;
  section = null;
  try {
    return fn();
  } finally {
    section = before;
  }
}

/** To be called for what user code is about to see: it may keep it. */
export function expose({ storage }: Tensor): void {
  storage.seen = true;
}

/**
 * The same in the middle of library code. What was allocated up to here was to compute x: it now belongs to
 * x's place on the tape, from which user code may branch off, or is freed, if there is none.
 */
export function handOver(x: Tensor): void {
  expose(x);
  for (let within = section; within?.enclosed; within = within.outer) {
    const allocations = within.allocations.splice(0);
    take(allocations, x.storage);
    attach(allocations, x);
  }
}

/** Takes the memory out of a list of allocations; false if it is not there. */
export function take(allocations: Tensor[], storage: Storage): boolean {
  const at = allocations.findIndex((x) => x.storage === storage);
  if (at >= 0) allocations.splice(at, 1);
  return at >= 0;
}

/**
 * Runs library code of which only the result is seen. All else that it allocates is freed: at once, or, if
 * the result is on the tape, when `backward` frees the tape, for until then it may be needed.
 */
export function enclosed(fn: () => Tensor): Tensor {
  const { result, allocations } = collecting(fn);
  release(allocations, result);
  return result;
}

/**
 * Runs `fn` and frees what it computed at once, except for the tensors that it returns, by themselves or in
 * arrays and objects. What is not computed stays too: parameters of layers, their gradients, optimizer state.
 *
 * Nothing needs it: memory looks after itself. But a loop that makes large tensors and drops them is faster
 * with it on a device whose memory no garbage collector looks after, such as `wasm`, for there the library
 * cannot know what the program has dropped.
 *
 * @returns What `fn` returns.
 * @throws {GraphError} `fn` is asynchronous; the rest of it would run when all is freed.
 * @throws {DeviceError} From whatever uses a tensor that was freed (on `cpu` they stay).
 * @example
 * ```ts
 * import { scope, tensor } from 'gammabeta';
 *
 * const norm = scope(() => tensor([3, 4]).pow(2).sum().sqrt().item());
 * console.log(norm); // 5
 * ```
 */
export function scope<T>(fn: () => T): T {
  const { result, allocations } = collecting(fn, false);
  if (result instanceof Promise) {
    throw new GraphError(
      'scope',
      'the function is asynchronous',
      'await outside, and call scope around what computes',
    );
  }
  const returned = tensorsIn(result);
  for (const x of returned) if (take(allocations, x.storage)) allocated(x);
  const roots = returned.filter((x) => x.node !== null);
  if (roots.length === 0) freeAll(allocations);
  // A returned value that is on the tape needs what it was computed from. Of several, none may free it alone.
  else if (roots.length === 1) roots[0].node?.memory.push(...allocations);
  return result;
}

/** The tensors in a value: itself, or those in an array or a plain object, at any depth. */
function tensorsIn(value: unknown): Tensor[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('storage' in value && 'home' in value) return [value as Tensor];
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain ? Object.values(value).flatMap(tensorsIn) : [];
}

/** Runs library code that only updates tensors in place, and frees all that it allocates. */
export function transient(fn: () => void): void {
  freeAll(collecting(fn).allocations);
}

/** Frees what was allocated, but for the result, which is the caller's. */
export function release(allocations: Tensor[], result: Tensor): void {
  if (take(allocations, result.storage)) allocated(result);
  attach(allocations, result);
}

/** What was allocated to compute x is freed with x's part of the tape, or now, if there is none. */
function attach(allocations: readonly Tensor[], { node }: Tensor): void {
  if (node === null) freeAll(allocations);
  else for (const x of allocations) node.memory.push(x);
}

export function freeAll(allocations: readonly Tensor[]): void {
  for (const x of allocations) free(x);
}

/** Frees what the library computed for itself, unless user code has seen it after all. */
export function free({ storage, home }: Tensor): void {
  if (!storage.seen) home.free(storage);
}
