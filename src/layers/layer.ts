/** The base class of layers: parameters, buffers, inner layers, modes and state dicts. */
import { assign, copy, inPlace } from '../tensor/assign.ts';
import { expectAtMost, expectBoolean, expectTensor, refused, ValueError } from '../tensor/errors.ts';
import { keep } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { showAsString, Value } from '../tensor/value.ts';
import { prepareState, underway } from './load-state-dict.ts';
import { expectRegistered, noteLayer, noteUse } from './registered.ts';
import type { LoadStateOptions, Slot, StateDict } from './state-dict.ts';

/**
 * The base class of layers, like PyTorch's `Module`: a function of a tensor, with parameters. Subclasses implement
 * `forward`, and register their tensors and inner layers with `addParameter`, `addBuffer` and `addLayer`.
 *
 * @example
 * ```ts
 * import { Dense, Layer, randn, type Tensor } from 'gammabeta';
 *
 * // y = x + f(x): a residual block
 * class Residual extends Layer {
 *   readonly f: Dense;
 *   constructor(features: number) {
 *     super();
 *     this.f = this.addLayer('f', new Dense(features, features));
 *   }
 *   override forward(x: Tensor): Tensor {
 *     return x.add(this.f.forward(x).relu());
 *   }
 * }
 *
 * const block = new Residual(4);
 * console.log(block.forward(randn([2, 4])).shape); // [ 2, 4 ]
 * console.log(block.namedParameters().map(([name]) => name)); // [ 'f.weight', 'f.bias' ]
 * ```
 */
export abstract class Layer {
  /** The mode: true (initially) for training, false for evaluation. Batch normalization and dropout depend on it. */
  get training(): boolean {
    return this.#training;
  }

  set training(training: boolean) {
    this.#training = typeof training === 'boolean' ? training : expectBoolean(this.op, 'training', training);
  }

  #training = true;

  readonly #slots = new Map<string, Slot>();
  readonly #children = new Map<string, Layer>();
  readonly #constants = new Set<Tensor>();
  #place: { readonly inside: Layer; readonly name: string } | null = null;
  /** @internal Set by `freeze`: the parameters whose gradients it stopped, and the mode to return to. */
  frozen: { readonly stopped: readonly Tensor[]; training: boolean } | null = null;

  /** Layers without a constructor of their own take no arguments. */
  constructor(...none: never[]) {
    expectAtMost(this.constructor.name, none.length, 0, 'this layer has no options');
    noteLayer(this);
  }

  /** @internal Whether it computes something else in training than in evaluation. */
  readonly hasModes: boolean = false;

  /** @internal The outermost layer that contains this one. */
  get root(): Layer {
    return this.#place?.inside.root ?? this;
  }

  /** y = f(x). Error messages name the layer and its position in the model. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Sets the mode of this layer and all layers inside it: training, or evaluation with `false`. Layers that are frozen
   * stay in evaluation mode. Returns this layer.
   *
   * @throws {ValueError} A layer holds a layer or a tensor that it has not registered.
   */
  train(training = true): this {
    expectRegistered(this);
    expectBoolean(this.op, 'training', training);
    (this.frozen ?? this).training = training; // a frozen layer is in this mode after `unfreeze`
    for (const child of this.#children.values()) child.train(training);
    return this;
  }

  /** Sets this layer and all layers inside it to evaluation. Equivalent to `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** This layer and all layers inside it, at any depth. */
  modules(): Layer[] {
    return this.namedModules().map(([, layer]) => layer);
  }

  /** The same with their names, such as `1.0`; the name of this layer is empty. */
  namedModules(): [name: string, layer: Layer][] {
    const inner = [...this.#children].flatMap(([child, layer]) =>
      layer.namedModules().map(([name, l]): [string, Layer] => [joined(child, name), l]),
    );
    return [['', this], ...inner];
  }

  /**
   * The parameters with their names, such as `0.weight`; those of this layer first. A shared one is listed once, as in
   * PyTorch.
   */
  namedParameters(): [name: string, parameter: Tensor][] {
    const names = new Map<Tensor, string>();
    for (const [name, { held, trained }] of this.registeredSlots()) {
      if (trained && held !== undefined && !names.has(held)) names.set(held, name);
    }
    return Array.from(names, ([parameter, name]) => [name, parameter]);
  }

  /** The parameters in the order of `namedParameters`, for an optimizer. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** @internal All parameters, buffers and constants of this layer and the layers inside it. */
  tensors(): Tensor[] {
    const held = this.namedSlots().flatMap(([, slot]) => slot.held ?? []);
    return [...new Set([...held, ...this.modules().flatMap((layer) => [...layer.#constants])])];
  }

  /** Copies of all parameters and buffers by PyTorch's names, as of the last complete training step. */
  stateDict(): StateDict {
    const settled = (slot: Slot): Tensor => copy(underway.before?.(slot) ?? slot.held ?? slot.read());
    return Object.fromEntries(this.registeredSlots().map(([name, slot]) => [name, settled(slot)]));
  }

  /** The buffers of the state dict, such as running statistics: the part that a forward pass can change. */
  bufferDict(): StateDict {
    const buffers = this.registeredSlots().filter(([, slot]) => !slot.trained);
    return Object.fromEntries(buffers.map(([name, slot]) => [name, slot.read()]));
  }

  /**
   * Overwrites parameters and buffers with those of a state dict, whose tensors may have another element type or be on
   * another device. If an error is thrown, nothing is changed.
   *
   * While `fit` trains the model, a state can be loaded between two batches, as in `onBatch`: training continues from it.
   * Within a batch, as in a metric, a loss or a hook, loading is refused.
   *
   * @param options.strict Whether missing and unexpected entries are errors; otherwise they are ignored. Default true.
   * @throws {StateDictError} An entry is missing, unexpected, no tensor or of another shape; the message lists all of
   *   them. Or it has a value that it cannot have: a negative running variance, a count of batches that is not an
   *   integer ≥ 0, or a float64 value that float32 cannot hold.
   * @throws {BusyError} `fit`, `trainStep`, `evaluate` or `predict` is computing a batch of the model.
   * @throws {DeviceError} A tensor of the state cannot be read, for example because its GPU was lost.
   */
  loadStateDict(state: Readonly<StateDict>, options: LoadStateOptions = {}): void {
    inPlace(() => prepareState('loadStateDict', this, state, options)());
  }

  /** The name of this layer in error messages: its position in the model, and its description. */
  protected get op(): string {
    return this.#place === null ? this.toString() : `layer ${this.position}, ${this.toString()}`;
  }

  /** @internal An error of this layer. */
  failure(problem: string, hint: string): ValueError {
    return new ValueError(this.op, problem, hint);
  }

  /** @internal Returns x if it is a tensor. Throws {@link ValueError} otherwise. */
  protected input(x: Tensor): Tensor {
    noteUse(this);
    const hint = 'pass a tensor: tensor([[1, 2]]), or tensor(batch.x, { shape: batch.shape })';
    return x instanceof Value ? x : expectTensor(this.op, 'x', x, hint);
  }

  /** The names of the layers that contain it and its own, as in state-dict keys: `1.0`. */
  private get position(): string {
    return this.#place === null ? '' : joined(this.#place.inside.position, this.#place.name);
  }

  static {
    showAsString(this.prototype);
    // For classes in JavaScript: one without `forward` says so when it is called.
    Object.defineProperty(this.prototype, 'forward', { value: missing, writable: true, configurable: true });
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'layer' }); // for error messages: "a layer"
  }

  /** The state dict, for `JSON.stringify`. On `webgpu`, which cannot read synchronously, it throws {@link DeviceError}. */
  toJSON(): StateDict {
    return this.stateDict();
  }

  /** The description that `console.log` and error messages show. */
  toString(): string {
    return this.constructor.name;
  }

  /**
   * Registers a trainable tensor and returns it.
   * @throws {ValueError} It requires no gradient or is the result of an op; or the name is empty or has a dot.
   */
  protected addParameter(name: string, parameter: Tensor): Tensor {
    expectLeaf(this.constructor.name, `the parameter ${name}`, parameter);
    return this.addTensor(name, parameter, { trained: true });
  }

  /**
   * Registers a tensor that is saved with the layer but not trained, and returns it. `least` is the least value that a
   * state dict may have for it, such as 0 for a variance.
   */
  protected addBuffer(name: string, buffer: Tensor, least?: number): Tensor {
    return this.addTensor(name, buffer, { trained: false, least });
  }

  /** Registers a tensor that never changes and is not saved, and returns it. */
  protected addConstant(constant: Tensor): Tensor {
    expectTensor(this.constructor.name, 'a tensor of the layer', constant);
    this.#constants.add(keep(constant)); // a layer may outlive the `scope` that it was made in
    return constant;
  }

  /** Registers an entry of the state dict that is no tensor of the layer: functions read, check and write it. */
  protected addSlot(name: string, slot: Slot): void {
    expectName(this.constructor.name, name);
    this.#slots.set(name, slot);
  }

  /** Registers a layer inside this one and returns it. */
  protected addLayer<L extends Layer>(name: string, layer: L): L {
    expectName(this.constructor.name, name);
    if (!(layer instanceof Layer))
      throw refused(this.constructor.name, `layer ${name}`, layer, 'pass a layer, such as new ReLU()');
    if (layer.modules().includes(this))
      throw new ValueError(this.constructor.name, `layer ${name} contains this layer`, 'use another layer');
    this.#children.set(name, layer);
    layer.#place = { inside: this, name };
    return layer;
  }

  private addTensor(name: string, held: Tensor, kind: Pick<Slot, 'trained' | 'least'>): Tensor {
    const { shape } = expectTensor(this.constructor.name, 'a tensor of the layer', held);
    const write = (source: Tensor): void => assign(held, source);
    this.addSlot(name, { ...kind, shape, held: keep(held), read: () => copy(held), write });
    return held;
  }

  /** @internal The entries of the state dict; those of this layer first. */
  namedSlots(): NamedSlot[] {
    return this.namedModules().flatMap(([path, layer]) =>
      Array.from(layer.#slots, ([name, slot]): NamedSlot => [joined(path, name), slot]),
    );
  }

  /** @internal The same, if this layer and all layers inside it have registered what they hold. */
  registeredSlots(): NamedSlot[] {
    for (const layer of this.modules()) expectRegistered(layer);
    return this.namedSlots();
  }
}

type NamedSlot = [name: string, slot: Slot];

/** The names of a layer and of what is inside it, joined as in state-dict keys: `1.weight`. The model has no name. */
const joined = (outer: string, inner: string): string =>
  outer === '' || inner === '' ? outer + inner : `${outer}.${inner}`;

/** The `forward` of a class that has none. */
function missing(this: Layer): never {
  throw new ValueError(this.toString(), 'it has no forward', 'implement forward(x), which returns a tensor');
}

/** State-dict keys join names with dots, so a name has none. */
function expectName(op: string, name: string): void {
  if (typeof name === 'string' && name !== '' && !name.includes('.')) return;
  const hint = "the first argument is a word without dots, as in this.addLayer('inner', layer)";
  throw refused(op, 'a name', name, hint);
}

/** Checks that a parameter can learn. */
function expectLeaf(op: string, name: string, parameter: Tensor): void {
  const { requiresGrad, node } = expectTensor(op, name, parameter);
  if (requiresGrad && node === null) return;
  const problem = requiresGrad ? 'is the result of an op' : 'requires no gradient';
  const hint = requiresGrad
    ? 'make a leaf of its values: tensor(t.dataSync(), { shape: t.shape, requiresGrad: true })'
    : 'make it with requiresGrad: true, or register it with addBuffer or addConstant';
  throw new ValueError(op, `${name} ${problem}`, hint);
}
