/**
 * Checks that a layer of the user's has registered the layers and tensors that it holds and uses. Otherwise they would be
 * neither trained nor saved, and `eval()` would pass them by. What layers compute does not depend on this file.
 */
import { isRecording } from '../tensor/tape.ts';
import { Value } from '../tensor/value.ts';
import type { Layer } from './layer.ts';

/** The layer classes of the library, which register all that they hold and use. */
export const complete: WeakSet<object> = new WeakSet<object>();

/** All layers. */
const layers = new WeakSet<object>();
/** The prototypes whose `forward` is checked. */
const checked = new WeakSet<object>();

/** Each layer calls it when it is made. The `forward` of a user's class then checks what the layer holds and uses. */
export function noteLayer(layer: Layer): void {
  layers.add(layer);
  if (complete.has(layer.constructor)) return;
  let owner = Reflect.getPrototypeOf(layer);
  while (owner !== null && !Object.hasOwn(owner, 'forward')) owner = Reflect.getPrototypeOf(owner);
  if (owner === null || checked.has(owner)) return;
  checked.add(owner);
  const forward = Reflect.get(owner, 'forward') as Layer['forward'];
  const checking: Layer['forward'] = function (this: Layer, x) {
    noteUse(this);
    return known.has(this) ? forward.call(this, x) : watched(this, () => forward.call(this, x));
  };
  Object.defineProperty(owner, 'forward', { value: checking, writable: true, configurable: true });
}

// ── what fields hold ────────────────────────────────────────────────────────────────────────────────────

/**
 * The registered tensors that the fields of a layer held when its first forward pass began. From then on, fields may also
 * hold tensors that the pass was given or has computed.
 */
const inFields = new WeakMap<Layer, ReadonlyMap<string, unknown>>();

/**
 * Throws {@link ValueError} if a field holds a layer or a leaf tensor that is not registered, also inside arrays,
 * objects, maps and sets; or another tensor than the one that it held when the layer was first used.
 */
export function expectRegistered(layer: Layer): void {
  const before = inFields.get(layer);
  const registered = new Set<object>([...layer.modules(), ...layer.tensors()]);
  const isPart = (held: object): boolean => layers.has(held) || (before === undefined && isLeaf(held));
  for (const [name, held] of fieldsOf(layer)) {
    const lost = objectsIn(held).find((part) => isPart(part) && !registered.has(part));
    if (lost !== undefined && !complete.has(layer.constructor)) {
      const [kind, add] = isLeaf(lost) ? ['tensor', 'addParameter'] : ['layer', 'addLayer'];
      const problem = `its field '${name}' holds a ${kind} that is not registered, so it is neither trained nor saved`;
      const others = isLeaf(lost) ? ' (or addBuffer, addConstant)' : '';
      const hint = `in the constructor, wrap it: this.${add}('${name}', …)${others}, with a name of its own`;
      throw layer.failure(problem, hint);
    }
    if (lost === undefined && (before?.get(name) ?? held) === held) continue;
    const problem = `its field '${name}' was given another value, which is neither trained nor saved`;
    const hint = 'write into the tensor that it held: assign(target, values); or make a new layer';
    throw layer.failure(problem, hint);
  }
}

/** The fields of a layer that the user may have set. */
const fieldsOf = (layer: Layer): [name: string, held: unknown][] =>
  Object.entries(layer).filter(([name]) => name !== 'frozen');

/** The objects in a value: itself, and those in arrays, plain objects, maps and sets, at most `depth` of them nested. */
function objectsIn(value: unknown, depth = 8): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  const isCollection = Array.isArray(value) || value instanceof Map || value instanceof Set;
  const entries: unknown[] = isCollection ? [...value.values()] : isPlain ? Object.values(value) : [];
  return depth === 0 ? [value] : [value, ...entries.flatMap((entry) => objectsIn(entry, depth - 1))];
}

/** Whether the value is a tensor that no op computed. */
const isLeaf = (value: unknown): boolean => value instanceof Value && value.node === null;

// ── what a forward pass uses ────────────────────────────────────────────────────────────────────────────

/** The layers that are known to use only registered ones in their forward pass. */
const known = new WeakSet<Layer>();

/** The layers whose forward pass is running and that are not known yet, the innermost first. */
let watching: readonly Layer[] = [];

/** Each layer calls it when it is used. Layers that are used under `noGrad` learn nothing. */
export function noteUse(layer: Layer): void {
  if (watching.length > 0 && isRecording()) for (const user of watching) expectKnown(user, layer);
}

/** Checks that a layer which the forward pass of another used is registered, or neither learns nor has modes. */
function expectKnown(user: Layer, used: Layer): void {
  const learns = used.tensors().some((x) => x.requiresGrad);
  const isFixed = used.frozen !== null || !(learns || (used.hasModes && used.training));
  if (isFixed || user.root.modules().includes(used)) return;
  const lost = learns ? 'so it is neither trained nor saved' : 'so eval() passes it by';
  const problem = `its forward uses ${used.toString()}, which is not registered, ${lost}`;
  throw user.failure(problem, "in the constructor: this.inner = this.addLayer('inner', …)");
}

/** Runs the forward pass of a layer, with checks. */
function watched<Y>(layer: Layer, compute: () => Y): Y {
  if (!inFields.has(layer)) {
    expectRegistered(layer);
    const own = new Set<unknown>(layer.tensors());
    inFields.set(layer, new Map(fieldsOf(layer).filter(([, held]) => own.has(held))));
  }
  const outer = watching;
  watching = [layer, ...outer];
  try {
    const y = compute();
    if (isRecording()) known.add(layer);
    return y;
  } finally {
    watching = outer;
  }
}
