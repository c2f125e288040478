/** The base class of optimizers: parameter groups, one step, and saved state. */
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { blend } from '../../kernels/update.ts';
import { assign, copy } from '../tensor/assign.ts';
import { zeros } from '../tensor/fill.ts';
import { expectNumber, GammaBetaError, ShapeError, ValueError } from '../tensor/errors.ts';
import { composite, keep, run } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';

/** The option that every optimizer has. */
export interface LearningRate {
  /** The learning rate. */
  readonly lr: number;
}

/** Parameters with their own options, which override those of the optimizer. */
export type ParameterGroup<O> = { readonly params: readonly Tensor[] } & Partial<O>;

/** The state of one parameter, by name: moving averages, and the number of steps. */
export type Slots = Record<string, Tensor | number>;

/** The complete state of an optimizer: enough to continue training with the same results. */
export interface OptimizerState {
  /** The kind of optimizer, such as `SGD`. */
  readonly optimizer: string;
  /** The groups: the indices of their parameters, and their options. */
  readonly groups: readonly { readonly params: readonly number[]; readonly options: object }[];
  /** The state of each parameter, in order over all groups. Empty for parameters that were never updated. */
  readonly slots: readonly Slots[];
}

/** The state does not fit the optimizer: another kind, other groups, or other shapes. */
export class OptimizerStateError extends GammaBetaError {
  override name = 'OptimizerStateError';
}

/**
 * The base class of optimizers. `update` changes one parameter in place. To write your own, extend an optimizer such as
 * `SGD`, and call `super.update` with a changed gradient.
 *
 * A parameter whose `grad` is null is skipped: its value and its state do not change.
 *
 * @throws {ValueError} There are no parameters, one is given twice, one is not a leaf, or an option is invalid.
 */
export abstract class Optimizer<O extends LearningRate> {
  private readonly groups: {
    readonly params: readonly Tensor[];
    options: O;
    /** The learning rate of the group ÷ that of the first group, as constructed. */
    readonly ratio: number;
  }[];
  private readonly slots = new Map<Tensor, Slots>();

  /** @param defaults All options. A group may override each of them. */
  constructor(params: readonly Tensor[] | readonly ParameterGroup<O>[], defaults: O) {
    const groups = isGroups(params) ? params : [{ params } as ParameterGroup<O>];
    this.groups = groups.map(({ params: members, ...overrides }) => {
      const options = { ...defaults, ...overrides };
      this.check(options);
      return { params: [...members], options, ratio: options.lr / (groups[0].lr ?? defaults.lr) };
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

  /** @internal The update rule of the library's optimizers. Unlike `update`, it must not keep a reference to g. */
  protected applyRule?(w: Tensor, g: Tensor, slots: Slots, options: O): void;

  /** All parameters, group by group. */
  get parameters(): readonly Tensor[] {
    return this.groups.flatMap((group) => group.params);
  }

  /**
   * The learning rate of the first group, ≥ 0. Setting it changes the rates of all groups: they keep the ratios that they
   * were constructed with.
   */
  get lr(): number {
    return this.groups[0].options.lr;
  }

  set lr(lr: number) {
    expectNumber(this.kind(), 'lr', lr, { from: 0 });
    for (const group of this.groups) group.options = { ...group.options, lr: lr * group.ratio };
  }

  /**
   * Updates every parameter that has a gradient.
   * @throws {ShapeError} A gradient has another shape, element type or device than its parameter. No parameter was
   *   changed.
   */
  step(): void {
    const isOverridden = this.update !== Optimizer.prototype.update;
    inPlace(() => {
      for (const { params } of this.groups) for (const w of params) expectGradient(this.kind(), w);
      for (const { params, options } of this.groups) {
        for (const w of params) {
          const { grad: g } = w;
          if (g === null) continue;
          const slots = this.slots.get(w) ?? {};
          this.slots.set(w, slots);
          if (isOverridden) callUser((...given) => this.update(...given, slots, options), w, g);
          else this.update(w, g, slots, options);
        }
      }
    });
  }

  /** Sets all gradients to null. Call it before each `backward()`, because that adds to the gradients. */
  zeroGrad(): void {
    for (const { params } of this.groups) for (const w of params) w.grad = null;
  }

  /** @internal The tensors of the state. */
  get remembered(): readonly Tensor[] {
    return [...this.slots.values()].flatMap((slots) =>
      Object.values(slots).filter((slot) => slot instanceof Tensor),
    );
  }

  /** A copy of the options and the state of all parameters. Later steps do not change it. */
  stateDict(): OptimizerState {
    const { parameters } = this;
    return {
      optimizer: this.kind(),
      groups: this.groups.map(({ params, options }) => ({
        params: params.map((w) => parameters.indexOf(w)),
        options: { ...options },
      })),
      slots: parameters.map((w) => copyOf(this.slots.get(w) ?? {})),
    };
  }

  /**
   * Loads the state of another optimizer of the same kind, including its options. If an error is thrown, nothing is
   * changed.
   * @throws {OptimizerStateError} The state is of another kind of optimizer, or has other parameter groups or shapes.
   */
  loadStateDict(state: OptimizerState): void {
    const { parameters, groups } = this;
    const sizesOf = (of: readonly { readonly params: readonly unknown[] }[]) =>
      of.map(({ params }) => params.length).join(' + ');
    const [mine, theirs] = [sizesOf(groups), sizesOf(state.groups)];
    const entries = state.slots.length;
    const misfit = parameters.findIndex((w, i) => !slotsFit(state.slots[i] ?? {}, w));
    const problems = [
      state.optimizer !== this.kind() && `it was saved by ${state.optimizer}`,
      mine !== theirs && `it has ${theirs} parameters, this optimizer has ${mine}`,
      entries !== parameters.length && `it has ${entries} entries for ${parameters.length} parameters`,
      misfit >= 0 &&
        `the entry of parameter ${misfit} does not have shape ${formatShape(parameters[misfit].shape)}`,
    ];
    const problem = problems.find((text) => text !== false);
    if (problem !== undefined) {
      const hint = 'build the optimizer that was saved';
      throw new OptimizerStateError(this.kind(), `the state does not fit: ${problem}`, hint);
    }
    const options = groups.map((group, k) => ({
      ...group.options,
      ...(state.groups[k].options as Partial<O>),
    }));
    options.forEach((o) => this.check({ ...o, lr: o.lr === 0 ? 1 : o.lr })); // a schedule may have reached 0
    groups.forEach((group, k) => (group.options = options[k]));
    parameters.forEach((w, i) => {
      const slots: Slots = {};
      for (const [name, slot] of Object.entries(state.slots[i])) {
        if (slot instanceof Tensor) assign(slotOf(slots, name, w), slot);
        else slots[name] = slot;
      }
      this.slots.set(w, slots);
    });
  }
}

/** Runs library code that updates tensors in place, and frees its temporaries. */
export const inPlace: (update: () => void) => void = composite((update) => {
  update();
});

/** g + λ·w: the gradient with L2 weight decay, as PyTorch's SGD, Adam and RMSprop apply it. */
export function decayed(g: Tensor, w: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? g : run(blend, [g, w], { alpha: 1, beta: weightDecay });
}

/** The tensor `name` in the state of a parameter, with the shape of `like`. Zeros in the first step. */
export function slotOf(slots: Slots, name: string, like: Tensor): Tensor {
  const slot = slots[name];
  if (slot instanceof Tensor) return slot;
  const fresh = keep(zeros(like.shape, { dtype: like.dtype, device: like.home }));
  slots[name] = fresh;
  return fresh;
}

/** Increments the number of steps of a parameter, and returns it: 1, 2, … */
export function countStep(slots: Slots): number {
  const step = (typeof slots.step === 'number' ? slots.step : 0) + 1;
  slots.step = step;
  return step;
}

function isGroups<O>(
  params: readonly Tensor[] | readonly ParameterGroup<O>[],
): params is readonly ParameterGroup<O>[] {
  return params.length > 0 && params.every((entry) => 'params' in entry);
}

function expectParameters(op: string, parameters: readonly Tensor[]): void {
  const hint = 'pass model.parameters()';
  if (parameters.length === 0) throw new ValueError(op, 'no parameters', `${hint}, of a model that has some`);
  if (!parameters.every((w) => w instanceof Tensor && w.node === null)) {
    throw new ValueError(op, 'not all parameters are leaf tensors', hint);
  }
  if (new Set(parameters).size < parameters.length) {
    throw new ValueError(op, 'a parameter is given twice', 'list each parameter in one group, once');
  }
}

function expectGradient(op: string, w: Tensor): void {
  const { grad: g } = w;
  if (g === null || (sameShape(g.shape, w.shape) && g.dtype === w.dtype && g.home === w.home)) return;
  throw new ShapeError(
    op,
    `a gradient is ${g.toString()}, its parameter ${w.toString()}`,
    'leave grad to backward(), or set it to a tensor like the parameter',
  );
}

function slotsFit(slots: Slots, w: Tensor): boolean {
  return Object.values(slots).every((slot) => typeof slot === 'number' || sameShape(slot.shape, w.shape));
}

function copyOf(slots: Slots): Slots {
  const entries = Object.entries(slots);
  return Object.fromEntries(
    entries.map(([name, slot]) => [name, slot instanceof Tensor ? copy(slot) : slot]),
  );
}
