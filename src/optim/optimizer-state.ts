/** The state of an optimizer, in memory and as it is saved. `load-optimizer-state.ts` checks and converts it. */
import type { Tensor } from '../tensor/tensor.ts';

/** The state of one parameter, by name: moving averages, and the number of steps. */
export type Slots = Record<string, Tensor | number>;

/** What each slot holds: an integer ≥ 0, or a tensor of any values, or one of squares, which are ≥ 0. */
export type SlotKinds = Readonly<Record<string, 'count' | 'any' | 'square'>>;

/** The complete state of an optimizer: enough to continue training with the same results. */
export interface OptimizerState {
  /** The kind of optimizer, such as `SGD`. */
  readonly optimizer: string;
  /** The groups: the indices of their parameters, and their options. */
  readonly groups: readonly { readonly params: readonly number[]; readonly options: object }[];
  /** The state of each parameter, in order over all groups. Empty for parameters that were never updated. */
  readonly slots: readonly Slots[];
}

/** Parameters, their options and the state of each. The state is empty before the first update. */
export interface Group<O> {
  readonly params: readonly Tensor[];
  options: O;
  /** The learning rate of the group ÷ that of the first group, as constructed. */
  readonly ratio: number;
  slots: readonly Slots[];
}
