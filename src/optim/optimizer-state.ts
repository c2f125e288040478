/** The saved state of an optimizer, and how it is checked and converted. */
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { converted } from '../tensor/assign.ts';
import { GammaBetaError, shown, ValueError } from '../tensor/errors.ts';
import { keep } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';

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

/**
 * The state does not fit the optimizer: another kind, other groups, shapes or names; or it has a value that it cannot
 * have.
 */
export class OptimizerStateError extends GammaBetaError {
  override name = 'OptimizerStateError';
}

/** Throws {@link OptimizerStateError} unless the state is of this kind, for groups of parameters like these. */
export function expectFit(
  kind: string,
  groups: readonly { readonly params: readonly Tensor[] }[],
  state: OptimizerState,
): void {
  if (!isState(state))
    throw misfit(kind, 'it is not an object { optimizer, groups, slots }', 'pass what stateDict() returned');
  const sizes = [groups, state.groups].map((all) => all.map(({ params }) => params.length));
  const [mine, theirs] = sizes.map((each) => each.join(' + '));
  const count = sizes[0].reduce((sum, size) => sum + size, 0);
  if (state.optimizer !== kind) throw misfit(kind, `it was saved by ${state.optimizer}`);
  if (mine !== theirs) throw misfit(kind, `it has ${theirs} parameters, this optimizer has ${mine}`);
  if (state.slots.length === count) return;
  throw misfit(kind, `it has ${state.slots.length} entries for ${count} parameters`);
}

/**
 * A copy of the state of parameter w, which has index i, on the device and in the element type of w.
 *
 * @param kinds What the optimizer keeps. Without it, any state is accepted.
 * @throws {OptimizerStateError} A slot is missing, unknown, or has a value that it cannot have.
 */
export function loadedSlots(kind: string, i: number, w: Tensor, saved: Slots, kinds?: SlotKinds): Slots {
  const misshaped = (slot: unknown) => slot instanceof Tensor && !sameShape(slot.shape, w.shape);
  if (Object.values(saved).some(misshaped))
    throw misfit(kind, `the entry of parameter ${i} does not have shape ${formatShape(w.shape)}`);
  const names = Object.keys(saved);
  const known = Object.keys(kinds ?? saved);
  // Nothing is kept of a parameter that was never updated.
  const missing = known.find((name) => names.length > 0 && !names.includes(name));
  if (missing !== undefined) throw misfit(kind, `parameter ${i} has no ${missing}`, DAMAGED);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw misfit(kind, `parameter ${i} has an unknown entry ${unknown}`, DAMAGED);

  const load = (slot: unknown, name: string): Tensor | number => {
    const isCount = kinds?.[name] === 'count';
    const isNumber = kinds === undefined || (isCount && Number.isSafeInteger(slot) && Number(slot) >= 0);
    if (typeof slot === 'number' && isNumber) return slot;
    if (!(slot instanceof Tensor) || isCount) {
      const hint =
        'the state is damaged, or JSON: tensor(slot.data, { shape: slot.shape }) makes the tensors of JSON';
      throw misfit(kind, `${name} of parameter ${i} is ${shown(slot)}`, hint);
    }
    try {
      return keep(converted(w, slot, kinds?.[name] === 'square' ? 0 : undefined));
    } catch (cause) {
      if (!(cause instanceof ValueError)) throw cause;
      throw misfit(kind, `${name} of parameter ${i}: ${cause.problem}`, cause.hint, { cause });
    }
  };
  return Object.fromEntries(names.map((name) => [name, load(saved[name], name)]));
}

/** The hint for the state of another optimizer, and the one for names and values that no optimizer saves. */
const OTHER = 'build the optimizer that was saved, over the same parameters';
const DAMAGED = 'the state is damaged, or was saved by another version: use another one';

function misfit(kind: string, problem: string, hint = OTHER, options?: ErrorOptions): OptimizerStateError {
  return new OptimizerStateError(kind, `the state does not fit: ${problem}`, hint, options);
}

/** Whether a value from plain JavaScript has the form of a state. Its groups list the parameters in order: 0, 1, … */
function isState(state: unknown): state is OptimizerState {
  if (!isObject(state) || Object.keys(state).sort().join() !== 'groups,optimizer,slots') return false;
  const { optimizer, groups, slots } = state;
  if (typeof optimizer !== 'string' || !Array.isArray(groups) || !groups.every(isGroup)) return false;
  const indices = groups.flatMap(({ params }) => params);
  return Array.isArray(slots) && slots.every(isObject) && indices.every((index, i) => index === i);
}

function isGroup(group: unknown): group is { readonly params: readonly unknown[] } {
  if (!isObject(group) || Object.keys(group).sort().join() !== 'options,params') return false;
  return Array.isArray(group.params) && isObject(group.options);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
