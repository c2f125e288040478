/**
 * Checks that a layer of the user's has registered the layers and tensors that it holds and uses. Otherwise they would be
 * neither trained nor saved, and `eval()` would pass them by. What layers compute does not depend on this file.
 */
import { ValueError } from '../tensor/errors.ts';
import { isRecording } from '../tensor/tape.ts';
import { Value } from '../tensor/value.ts';
import type { Layer } from './layer.ts';

/** The checks of one layer. */
export class Registration {
  /** Whether the layer is of the library's own classes, which register all that they hold and use. */
  readonly isComplete: boolean;
  /** Whether the layers that the forward pass uses are known to be registered. */
  private isKnown = false;
  private readonly layer: Layer;
  /** The name of the layer in error messages. */
  private readonly op: () => string;
  /**
   * The registered tensors that fields held when the first forward pass began; null before it. From then on, fields may
   * also hold tensors that the pass was given or has computed.
   */
  private inFields: ReadonlyMap<string, unknown> | null = null;

  constructor(layer: Layer, isComplete: boolean, op: () => string) {
    this.layer = layer;
    this.op = op;
    this.isComplete = isComplete;
    registrations.set(layer, this);
    if (!isComplete) checkForward(layer);
  }

  /**
   * Throws {@link ValueError} if a field holds a layer or a leaf tensor that is not registered, also inside arrays,
   * objects, maps and sets; or another tensor than the one that it held when the layer was first used.
   */
  check(): void {
    const { layer, inFields, isComplete } = this;
    const registered = new Set<object>([...layer.modules(), ...layer.tensors()]);
    const isPart = (held: object) => registrations.has(held) || (inFields === null && isLeaf(held));
    for (const [name, held] of fieldsOf(layer)) {
      const lost = objectsIn(held).find((part) => isPart(part) && !registered.has(part));
      if (lost !== undefined && !isComplete) throw this.unregistered(name, isLeaf(lost));
      if (lost === undefined && (inFields?.get(name) ?? held) === held) continue;
      const problem = `its field '${name}' was given another value, which is neither trained nor saved`;
      const hint = 'write into the tensor that it held: assign(target, values); or make a new layer';
      throw new ValueError(this.op(), problem, hint);
    }
  }

  private unregistered(field: string, isTensor: boolean): ValueError {
    const kind = isTensor ? 'tensor' : 'layer';
    const problem = `its field '${field}' holds a ${kind} that is not registered, so it is neither trained nor saved`;
    const add = isTensor ? 'addParameter' : 'addLayer';
    const others = isTensor ? ' (or addBuffer, addConstant)' : '';
    const hint = `in the constructor, wrap it: this.${add}('${field}', …)${others}, with a name of its own`;
    return new ValueError(this.op(), problem, hint);
  }

  /** Runs the forward pass, with checks until the layers that it uses are known. */
  forward<Y>(compute: () => Y): Y {
    if (this.isKnown) return compute();
    if (this.inFields === null) {
      this.check();
      const own = new Set<unknown>(this.layer.tensors());
      this.inFields = new Map(fieldsOf(this.layer).filter(([, held]) => own.has(held)));
    }
    const outer = watching;
    watching = [this, ...outer];
    try {
      const y = compute();
      this.isKnown = isRecording();
      return y;
    } finally {
      watching = outer;
    }
  }

  /** Checks that a layer which the forward pass used is registered, or neither learns nor has modes. */
  expectKnown(used: Layer): void {
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

/** The objects in a value: itself, and those in arrays, plain objects, maps and sets, at most `depth` of them nested. */
function objectsIn(value: unknown, depth = 8): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  const isCollection = Array.isArray(value) || value instanceof Map || value instanceof Set;
  const entries: unknown[] = isCollection ? [...value.values()] : isPlain ? Object.values(value) : [];
  return depth === 0 ? [value] : [value, ...entries.flatMap((entry) => objectsIn(entry, depth - 1))];
}

/** Whether the value is a tensor that no op computed. */
function isLeaf(value: unknown): boolean {
  return value instanceof Value && value.node === null;
}

// ── layers that a forward pass uses ─────────────────────────────────────────────────────────────────────

/** The running forward passes whose layers are not known yet, the innermost first. */
let watching: readonly Registration[] = [];

/** Each layer calls it when it is used. Layers that are used under `noGrad` learn nothing. */
export function noteUse(layer: Layer): void {
  if (watching.length > 0 && isRecording()) for (const each of watching) each.expectKnown(layer);
}

/** The prototypes whose `forward` is checked. */
const checked = new WeakSet<object>();

/** Makes the `forward` of a user's class check what the layer holds and uses, until that is known. */
function checkForward(layer: Layer): void {
  let owner = Reflect.getPrototypeOf(layer);
  while (owner !== null && !Object.hasOwn(owner, 'forward')) owner = Reflect.getPrototypeOf(owner);
  if (owner === null || checked.has(owner)) return;
  checked.add(owner);
  const forward = Reflect.get(owner, 'forward') as Layer['forward'];
  const checking: Layer['forward'] = function (this: Layer, x) {
    noteUse(this);
    return this.registration.forward(() => forward.call(this, x));
  };
  Object.defineProperty(owner, 'forward', { value: checking, writable: true, configurable: true });
}
