import { formatShape, sameShape } from '../../kernels/shape.ts';
import { blend } from '../../kernels/update.ts';
import { assign, copy } from '../tensor/assign.ts';
import { zeros } from '../tensor/fill.ts';
import { expectNumber, GammaBetaError, ShapeError, ValueError } from '../tensor/errors.ts';
import { composite, keep, run } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';

/** What every optimizer has: the learning rate. */
export interface LearningRate {
  readonly lr: number;
}

/** Parameters with options of their own, which take precedence over the optimizer's. */
export type ParameterGroup<O> = { readonly params: readonly Tensor[] } & Partial<O>;

/** What an optimizer remembers of one parameter: moving averages, and how many steps it took. */
export type Slots = Record<string, Tensor | number>;

/** Everything that is needed to go on as if nothing had happened. */
export interface OptimizerState {
  readonly optimizer: string;
  readonly groups: readonly { readonly params: readonly number[]; readonly options: object }[];
  /** By parameter, in order over all groups; empty where none was updated yet. */
  readonly slots: readonly Slots[];
}

/** An optimizer's state that does not fit the optimizer it is loaded into. */
export class OptimizerStateError extends GammaBetaError {}

/**
 * Changes parameters in place, along their gradients. Subclasses implement `update`, for one parameter at a time.
 *
 * A parameter whose `grad` is null keeps its value and its optimizer state.
 */
export abstract class Optimizer<O extends LearningRate> {
  private readonly groups: { readonly params: readonly Tensor[]; options: O }[];
  private readonly slots = new Map<Tensor, Slots>();

  /** @param defaults Complete options; a group may override each. */
  constructor(params: readonly Tensor[] | readonly ParameterGroup<O>[], defaults: O) {
    const groups = isGroups(params) ? params : [{ params } as ParameterGroup<O>];
    this.groups = groups.map(({ params: members, ...overrides }) => {
      const options = { ...defaults, ...overrides };
      this.check(options);
      return { params: [...members], options };
    });
    expectParameters(this.kind(), this.parameters);
  }

  /** What errors and saved states call it. */
  protected abstract kind(): string;
  /** Throws {@link ValueError} for options that make no sense. */
  protected abstract check(options: O): void;
  /** Updates one parameter w in place, from its gradient g; `slots` is empty the first time. */
  protected update(w: Tensor, g: Tensor, slots: Slots, options: O): void {
    const hint = 'implement update(w, g, slots, options)';
    if (this.applyRule === undefined) throw new ValueError(this.kind(), 'it has no update rule', hint);
    this.applyRule(w, g, slots, options);
  }

  /** @internal `update` of the optimizers of the library, which keep no gradient. */
  protected applyRule?(w: Tensor, g: Tensor, slots: Slots, options: O): void;

  /** All parameters, in order over the groups. */
  get parameters(): readonly Tensor[] {
    return this.groups.flatMap((group) => group.params);
  }

  /** The learning rate: of the first group when read; for all groups when set. May be set to 0. */
  get lr(): number {
    return this.groups[0].options.lr;
  }

  set lr(lr: number) {
    expectNumber(this.kind(), 'lr', lr, { from: 0 });
    for (const group of this.groups) group.options = { ...group.options, lr };
  }

  /**
   * One step: every parameter that has a gradient moves.
   * @throws {ShapeError} A gradient is not of its parameter's shape; then no parameter has moved.
   */
  step(): void {
    const isOverridden = this.update !== Optimizer.prototype.update;
    inPlace(() => {
      for (const w of this.parameters) expectGradient(this.kind(), w);
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

  /** Forgets all gradients: call it before each `backward()`, which adds to them. */
  zeroGrad(): void {
    for (const w of this.parameters) w.grad = null;
  }

  /** @internal What is remembered, as far as it is tensors. */
  get remembered(): readonly Tensor[] {
    return [...this.slots.values()].flatMap((slots) =>
      Object.values(slots).filter((slot) => slot instanceof Tensor),
    );
  }

  /** A copy of everything remembered. Later steps do not change it. */
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
   * Takes over what another optimizer of the same kind remembered, options included. Either all fits, or
   * nothing changes.
   * @throws {OptimizerStateError} Another optimizer, other parameter groups, or other shapes.
   */
  loadStateDict(state: OptimizerState): void {
    const { parameters, groups } = this;
    const sizesOf = (of: readonly { readonly params: readonly unknown[] }[]) =>
      of.map(({ params }) => params.length).join(' + ');
    const [mine, theirs] = [sizesOf(groups), sizesOf(state.groups)];
    const entries = state.slots.length;
    const misfit = parameters.findIndex((w, i) => !slotsFit(state.slots[i] ?? {}, w));
    const problems = [
      state.optimizer !== this.kind() && `it is of ${state.optimizer}`,
      mine !== theirs && `it is of ${theirs} parameters, this optimizer has ${mine}`,
      entries !== parameters.length && `it has ${entries} entries for ${parameters.length} parameters`,
      misfit >= 0 &&
        `the entry of parameter ${misfit} is not of shape ${formatShape(parameters[misfit].shape)}`,
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

/** Runs code of the library that updates tensors in place, and frees its temporaries. */
export const inPlace: (update: () => void) => void = composite((update) => {
  update();
});

/** g + λ·w: the gradient with L2 weight decay, as PyTorch's SGD, Adam and RMSprop apply it. */
export function decayed(g: Tensor, w: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? g : run(blend, [g, w], { alpha: 1, beta: weightDecay });
}

/** The moving average `name` of a parameter: zeros at first. */
export function slotOf(slots: Slots, name: string, like: Tensor): Tensor {
  const slot = slots[name];
  if (slot instanceof Tensor) return slot;
  const fresh = keep(zeros(like.shape, { dtype: like.dtype, device: like.home }));
  slots[name] = fresh;
  return fresh;
}

/** Counts this step of a parameter: 1, 2, … */
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
    throw new ValueError(op, 'not all of the parameters are leaf tensors', hint);
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
