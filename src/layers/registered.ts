/**
 * Checks that a layer of the user's has registered the layers and tensors that it holds and uses. Otherwise they would be
 * neither trained nor saved, and `eval()` would pass them by. What layers compute does not depend on this file.
 */
import { expectTensor, refused, ValueError } from '../tensor/errors.ts';
import { isRecording } from '../tensor/tape.ts';
import { Value } from '../tensor/value.ts';
import type { Layer } from './layer.ts';

/** The checks of one layer. */
export class Registration {
  /** Whether the layer is of the library's own classes, which register all that they hold and use. */
  readonly isComplete: boolean;
  /** Whether the layers that the forward pass uses are known to be registered. */
  isWatched: boolean;
  private readonly layer: Layer;
  /** The name of the layer in error messages. */
  private readonly op: () => string;
  /** Layers and tensors whose place another one of the same name has taken. */
  private readonly replaced = new Set<object>();
  /** Whether a forward pass has begun: from then on, fields may hold tensors that it was given or has computed. */
  private wasUsed = false;
  /** The registered tensors that fields held then. */
  private inFields: readonly [field: string, held: object][] = [];

  constructor(layer: Layer, isComplete: boolean, op: () => string) {
    this.layer = layer;
    this.op = op;
    this.isComplete = isComplete;
    this.isWatched = isComplete;
    registrations.set(layer, this);
    if (!isComplete) watchForward(layer);
  }

  /** State-dict keys join names with dots, so a name has none. */
  expectName(name: string): void {
    if (typeof name === 'string' && name !== '' && !name.includes('.')) return;
    const hint = "the first argument is a word without dots, as in this.addLayer('inner', layer)";
    throw refused(this.layer.constructor.name, 'a name', name, hint);
  }

  /** Checks that a parameter can learn. */
  expectParameter(name: string, parameter: Value): void {
    this.expectName(name);
    const { name: op } = this.layer.constructor;
    const { requiresGrad, node } = expectTensor(op, `the parameter ${name}`, parameter);
    if (requiresGrad && node === null) return;
    if (requiresGrad) {
      const hint = 'make a leaf of its values: tensor(t.dataSync(), { shape: t.shape, requiresGrad: true })';
      throw new ValueError(op, `the parameter ${name} is the result of an op`, hint);
    }
    const hint = 'make it with requiresGrad: true, or register it with addBuffer or addConstant';
    throw new ValueError(op, `the parameter ${name} requires no gradient`, hint);
  }

  /** Notes that a layer or a tensor takes the place of another one of the same name. */
  replace(before: object | undefined, after: object): void {
    this.replaced.delete(after);
    if (before !== undefined && before !== after) this.replaced.add(before);
  }

  /**
   * Throws {@link ValueError} if a field holds a layer or a leaf tensor that is not registered, also inside arrays,
   * objects, maps and sets; or another tensor than the one that it held when the layer was first used.
   *
   * @param when `once`: only until the layer is used. `again`: also afterwards, when its fields may have changed.
   */
  check(when: 'once' | 'again'): void {
    const { layer, isComplete, wasUsed } = this;
    if (when === 'once' && (isComplete || wasUsed)) return;
    const registered = new Set<object>([...layer.modules(), ...layer.tensors()]);
    const mayHoldTensors = wasUsed && !isComplete;
    for (const [name, held] of fieldsOf(layer)) {
      for (const part of objectsIn(held)) {
        const isPart = registrations.has(part) || (isLeaf(part) && !mayHoldTensors);
        if (isPart && !registered.has(part)) throw this.unregistered(name, part);
      }
    }
    for (const [name, held] of this.inFields) {
      if (Reflect.get(layer, name) !== held) throw this.exchanged(name);
    }
  }

  private unregistered(field: string, part: object): ValueError {
    const [kind, add] = isLeaf(part) ? ['tensor', 'addParameter'] : ['layer', 'addLayer'];
    if (this.replaced.has(part)) {
      const problem = `the ${kind} in its field '${field}' was registered, and then another one with the same name`;
      return new ValueError(this.op(), problem, 'give each of them a name of its own');
    }
    if (this.isComplete) return this.exchanged(field);
    const problem = `its field '${field}' holds a ${kind} that is not registered, so it is neither trained nor saved`;
    const others = kind === 'tensor' ? ' (or addBuffer, addConstant)' : '';
    return new ValueError(
      this.op(),
      problem,
      `in the constructor, wrap it: this.${add}('${field}', …)${others}`,
    );
  }

  /** The error for a field that held what is registered, and now holds something else. */
  private exchanged(field: string): ValueError {
    const problem = `its field '${field}' was given another value, which is neither trained nor saved`;
    const hint = 'write into the tensor that it held: assign(target, values); or make a new layer';
    return new ValueError(this.op(), problem, hint);
  }

  /** The forward pass until the layers that it uses are known. */
  firstForward<Y>(forward: () => Y): Y {
    this.check('once');
    if (!this.wasUsed) {
      const own = new Set<object>(this.layer.tensors());
      this.inFields = fieldsOf(this.layer).flatMap(([name, held]) =>
        isLeaf(held) && own.has(held) ? [[name, held]] : [],
      );
      this.wasUsed = true; // from now on, a field may hold an input or a result
    }
    const { y, layers } = watch(forward);
    for (const layer of layers) this.expectKnown(layer);
    this.isWatched = isRecording();
    return y;
  }

  /** Checks that a layer which the forward pass used is registered, or neither learns nor has modes. */
  private expectKnown(used: Layer): void {
    const learns = used.tensors().some((x) => x.requiresGrad);
    const isFixed = used.frozen !== null || !(learns || (used.hasModes && used.training));
    if (isFixed || this.layer.root.modules().includes(used)) return;
    const lost = learns ? 'so it is neither trained nor saved' : 'so eval() passes it by';
    const problem = `its forward uses ${used.toString()}, which is not registered, ${lost}`;
    throw new ValueError(this.op(), problem, "in the constructor: this.inner = this.addLayer('inner', …)");
  }
}

const registrations = new WeakMap<object, Registration>();

/** The fields of a layer that the user may have set. */
function fieldsOf(layer: Layer): [name: string, held: unknown][] {
  return Object.entries(layer).filter(([name]) => name !== 'frozen');
}

/** How deep arrays, objects, maps and sets are searched. */
const DEPTH = 8;

/** The objects in a value: itself, and the entries of arrays, plain objects, maps and sets in it, at any depth. */
function* objectsIn(held: unknown, depth: number = DEPTH): Generator<object> {
  if (typeof held !== 'object' || held === null) return;
  yield held;
  if (depth > 0) for (const entry of entriesOf(held)) yield* objectsIn(entry, depth - 1);
}

function entriesOf(held: object): Iterable<unknown> {
  if (held instanceof Map || held instanceof Set) return held.values();
  if (Array.isArray(held)) return held as unknown[];
  const isPlain = Object.getPrototypeOf(held) === Object.prototype;
  return isPlain ? (Object.values(held) as unknown[]) : [];
}

/** Whether the value is a tensor that no op computed. */
function isLeaf(held: unknown): held is Value {
  return held instanceof Value && held.node === null;
}

// ── layers that a forward pass uses ─────────────────────────────────────────────────────────────────────

/** The layers that were used since `watch` began; null if nobody watches. */
let used: Set<Layer> | null = null;

/** Each layer calls it when it is used. */
export function noteUse(layer: Layer): void {
  if (used !== null && isRecording()) used.add(layer);
}

/** Runs a forward pass. Returns its result, and the layers that it used while ops were recorded. */
function watch<Y>(forward: () => Y): { readonly y: Y; readonly layers: ReadonlySet<Layer> } {
  const outer = used;
  const layers = (used = new Set<Layer>());
  try {
    return { y: forward(), layers };
  } finally {
    used = outer;
    for (const layer of layers) outer?.add(layer);
  }
}

/** The prototypes whose `forward` is watched. */
const watched = new WeakSet<object>();

/** Makes the `forward` of a user's class check what the layer holds and uses, until that is known. */
function watchForward(layer: Layer): void {
  let owner: object | null = Reflect.getPrototypeOf(layer);
  while (owner !== null && !Object.hasOwn(owner, 'forward')) owner = Reflect.getPrototypeOf(owner);
  if (owner === null || watched.has(owner)) {
    if (owner === null) addMissingForward(layer);
    return;
  }
  watched.add(owner);
  const forward = Reflect.get(owner, 'forward') as Layer['forward'];
  const checking: Layer['forward'] = function (this: Layer, x) {
    noteUse(this);
    const { registration } = this;
    return registration.isWatched
      ? forward.call(this, x)
      : registration.firstForward(() => forward.call(this, x));
  };
  Object.defineProperty(owner, 'forward', { value: checking, writable: true, configurable: true });
}

/** For classes in JavaScript: one without `forward` says so when it is called. Fields of the class are set later. */
function addMissingForward(layer: Layer): void {
  const forward = (): never => {
    throw new ValueError(
      layer.toString(),
      'it has no forward',
      'implement forward(x), which returns a tensor',
    );
  };
  const prototype = Reflect.getPrototypeOf(layer) ?? layer;
  watched.add(prototype);
  Object.defineProperty(prototype, 'forward', { value: forward, writable: true, configurable: true });
}
