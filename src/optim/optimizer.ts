/** The base class of optimizers: parameter groups, one step, and saved state. */
import { copy, inPlace } from '../tensor/assign.ts';
import { expectGradient } from '../tensor/autodiff.ts';
import { zeros } from '../tensor/fill.ts';
import { expectAtMost, expectNumber, expectTensors, ShapeError, ValueError } from '../tensor/errors.ts';
import { keep } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import { refuseSetting } from '../tensor/value.ts';
import { expectFit, loadedSlots } from './load-optimizer-state.ts';
import type { Group, OptimizerState, SlotKinds, Slots } from './optimizer-state.ts';
import type { LearningRate, ParameterGroup } from './optimizer-options.ts';

/**
 * The base class of optimizers. `update` changes one parameter in place. To write your own, extend this class, as in the
 * example of {@link assign}; or extend an optimizer such as `SGD`, and call `super.update` with a changed gradient. State
 * that you keep in `slots`, tensors and numbers, is saved and restored.
 *
 * A parameter whose `grad` is null is skipped: its value and its state do not change.
 *
 * @throws {ValueError} There are no parameters, one is given twice, one is not a leaf tensor, or an option is invalid.
 */
export abstract class Optimizer<O extends LearningRate> {
  /** @internal The groups, each with its options and its state. */
  readonly paramGroups: readonly Group<O>[];

  /** @param defaults All options. A group may override each of them. */
  constructor(params: readonly Tensor[] | readonly ParameterGroup<O>[], defaults: O) {
    const groups = isGroups<O>(params) ? params : [{ params } as ParameterGroup<O>];
    for (const group of groups) expectTensors(this.kind(), 'params', group.params, PARAMETERS);
    this.paramGroups = groups.map(({ params: members, ...overrides }) => {
      const options = { ...defaults, ...overrides };
      this.check(options);
      const ratio = options.lr / (groups[0].lr ?? defaults.lr);
      return { params: [...members], options, ratio, slots: members.map(() => ({})) };
    });
    expectParameters(this.kind(), this.parameters);
  }

  /** The name of the optimizer in error messages and saved states. */
  protected abstract kind(): string;
  /** Throws {@link ValueError} if an option is unknown or out of its range. */
  protected abstract check(options: O): void;
  /** Updates one parameter w in place, from its gradient g. `slots` is its state, which is empty in the first step. */
  protected update(w: Tensor, g: Tensor, slots: Slots, options: O): void {
    const hint = 'implement update(w, g, slots, options)';
    if (this.applyRule === undefined) throw new ValueError(this.kind(), 'it has no update rule', hint);
    this.applyRule(w, g, slots, options);
  }

  /**
   * @internal The state that the update rule of the library's optimizers keeps of a parameter, with these options. A
   * class with its own `update` may keep any state.
   */
  protected slotKinds?(options: O): SlotKinds;

  /** Whether the update rule is the user's. */
  private get hasOwnUpdate(): boolean {
    return this.update !== Optimizer.prototype.update;
  }

  /** @internal The update rule of the library's optimizers. Unlike `update`, it must not keep a reference to g. */
  protected applyRule?(w: Tensor, g: Tensor, slots: Slots, options: O): void;

  /** All parameters, group by group. */
  get parameters(): readonly Tensor[] {
    return this.paramGroups.flatMap(({ params }) => params);
  }

  /**
   * The learning rate of the first group, ≥ 0. Setting it changes the rates of all groups: they keep the ratios that they
   * were constructed with.
   */
  get lr(): number {
    return this.paramGroups[0].options.lr;
  }

  set lr(lr: number) {
    expectNumber(this.kind(), 'lr', lr, { from: 0 });
    for (const group of this.paramGroups) group.options = { ...group.options, lr: lr * group.ratio };
  }

  /**
   * Updates every parameter that has a gradient. It takes no closure: call `backward()` before it.
   * @throws {ShapeError} A gradient has another shape, element type or device than its parameter. No parameter was
   *   changed.
   */
  step(...none: never[]): void {
    expectAtMost('step', none.length, 0, 'compute the gradients before it: loss.backward()');
    inPlace(() => {
      for (const { params } of this.paramGroups)
        for (const w of params)
          if (w.grad !== null) expectGradient(this.kind(), 'a gradient', w.grad, w, ShapeError);
      for (const { params, slots, options } of this.paramGroups) {
        params.forEach((w, i) => {
          const { grad: g } = w;
          if (g === null) return;
          if (this.hasOwnUpdate) callUser(this.update.bind(this), w, g, slots[i], options);
          else this.update(w, g, slots[i], options);
        });
      }
    });
  }

  static {
    refuseSetting('optimizer', this.prototype, { parameters: 'make a new optimizer' });
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'optimizer' }); // for error messages
  }

  /** Sets all gradients to null. Call it before each `backward()`, because that adds to the gradients. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const w of params) w.grad = null;
  }

  /** A copy of the options and the state of all parameters. Later steps do not change it. */
  stateDict(): OptimizerState {
    const { liveState: state } = this;
    return { ...state, slots: state.slots.map(copyOf) };
  }

  /** The options and the state, not copied. */
  private get liveState(): OptimizerState {
    const { parameters, paramGroups } = this;
    const groups = paramGroups.map(({ params, options }) => ({
      params: params.map((w) => parameters.indexOf(w)),
      options: { ...options },
    }));
    return { optimizer: this.kind(), groups, slots: paramGroups.flatMap(({ slots }) => slots) };
  }

  /** The state dict, for `JSON.stringify`. On `webgpu`, which cannot read synchronously, it throws {@link DeviceError}. */
  toJSON(): OptimizerState {
    return this.stateDict();
  }

  /**
   * Loads the state of another optimizer of the same kind, including its options. Its tensors may have another element
   * type or be on another device. If an error is thrown, nothing is changed.
   *
   * @throws {OptimizerStateError} The state is of another kind of optimizer; has other parameter groups, shapes or names
   *   than this optimizer's; or has a value that it cannot have, such as step −1.
   * @throws {ValueError} An option is out of its range.
   * @throws {DeviceError} A tensor of the state cannot be read, for example because its GPU was lost.
   */
  loadStateDict(state: OptimizerState): void {
    inPlace(() => this.prepareState(state)());
  }

  /** @internal Checks and converts a state. Returns the function that then loads it, which cannot fail. */
  prepareState(state: OptimizerState): () => void {
    const { paramGroups: groups } = this;
    expectFit(this.kind(), this.liveState, state);
    const loaded = groups.map((group, k) => {
      const { params: indices, options: saved } = state.groups[k];
      const options = { ...group.options, ...(saved as Partial<O>) };
      this.check({ ...options, lr: options.lr === 0 ? 1 : options.lr }); // a schedule may have reached 0
      const kinds = this.hasOwnUpdate ? undefined : this.slotKinds?.(options);
      const load = (i: number, j: number): Slots =>
        loadedSlots(this.kind(), i, group.params[j], state.slots[i], kinds);
      return { options, slots: indices.map(load) };
    });
    return () => groups.forEach((group, k) => Object.assign(group, loaded[k]));
  }
}

/** The tensor `name` in the state of a parameter, with the shape of `like`. Zeros in the first step. */
export function slotOf(slots: Slots, name: string, like: Tensor): Tensor {
  const { shape, dtype, home: device } = like;
  if (!(slots[name] instanceof Tensor)) slots[name] = keep(zeros(shape, { dtype, device }));
  return slots[name];
}

function isGroups<O>(params: unknown): params is readonly ParameterGroup<O>[] {
  const isGroup = (entry: unknown): boolean => 'params' in Object(entry);
  return Array.isArray(params) && params.length > 0 && Array.from<unknown>(params).every(isGroup);
}

/** A hint for values that are no array of tensors, such as a model in place of its parameters. */
export const PARAMETERS = 'pass model.parameters(), or an array of tensors';

function expectParameters(op: string, parameters: readonly Tensor[]): void {
  const hint = 'pass model.parameters()';
  if (parameters.length === 0) throw new ValueError(op, 'no parameters', `${hint}, of a model that has some`);
  if (parameters.some(({ node }) => node !== null))
    throw new ValueError(op, 'not all parameters are leaf tensors', hint);
  if (new Set(parameters).size < parameters.length)
    throw new ValueError(op, 'a parameter is given twice', 'list each parameter in one group, once');
}

function copyOf(slots: Slots): Slots {
  const copies = Object.entries(slots).map(([name, x]) => [name, x instanceof Tensor ? copy(x) : x] as const);
  return Object.fromEntries(copies);
}
