/** How the saved state of an optimizer is checked and converted. */
import { converted } from '../tensor/assign.ts';
import { expectInteger, GammaBetaError, shown } from '../tensor/errors.ts';
import { type Forms, formsOf, isObject, loading, misfits } from '../tensor/misfits.ts';
import { keep } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { OptimizerState, SlotKinds, Slots } from './optimizer-state.ts';

/**
 * The state does not fit the optimizer: another kind, other groups, shapes or names; or it has a value that it cannot
 * have.
 */
export class OptimizerStateError extends GammaBetaError {
  override name = 'OptimizerStateError';
}

/** Throws {@link OptimizerStateError} unless the state is of the same kind, for the same groups, as the optimizer's own. */
export function expectFit(kind: string, own: OptimizerState, state: OptimizerState): void {
  const problems = isObject(state)
    ? misfits(structureOf(own), structureOf(state))
    : [`it is ${shown(state)}`];
  if (problems.length === 0) return;
  const hint = 'build the optimizer that was saved, over the same parameters, and pass its stateDict()';
  throw new OptimizerStateError(kind, `the state does not fit: ${problems.join('; ')}`, hint);
}

/** What plain JavaScript may pass as a state. */
type Parts = Partial<Record<keyof OptimizerState, unknown>>;

/** The parts of a state as text. That of groups is the indices of their parameters: `[0, 1] + [2]`. */
function structureOf({ optimizer, groups, slots, ...others }: Parts): Forms {
  const areSlots = Array.isArray(slots) && slots.every(isObject);
  return new Map([
    ['optimizer', typeof optimizer === 'string' ? optimizer : shown(optimizer)],
    ['groups', Array.isArray(groups) ? groups.map(indicesOf).join(' + ') : shown(groups)],
    ['slots', areSlots ? `a list of ${slots.length} objects` : shown(slots)],
    ...formsOf(others),
  ]);
}

function indicesOf(group: unknown): string {
  const isGroup = isObject(group) && Object.keys(group).sort().join() === 'options,params';
  if (!isGroup || !isObject(group.options) || !Array.isArray(group.params)) return shown(group);
  return `[${group.params.map((index: unknown) => shown(index)).join(', ')}]`;
}

/**
 * A copy of the state of parameter w, which has index i, on the device and in the element type of w.
 *
 * @param kinds What the optimizer keeps. Without it, any state is accepted.
 * @throws {OptimizerStateError} A slot is missing, unexpected, or has a value that it cannot have.
 */
export function loadedSlots(kind: string, i: number, w: Tensor, saved: Slots, kinds?: SlotKinds): Slots {
  const slots = Object.entries(saved);
  const kept = slots.length === 0 ? {} : (kinds ?? saved); // nothing is kept of a parameter that was never updated
  const isNumber = (slot: unknown): boolean => slot === 'count' || typeof slot === 'number';
  const expected = Object.entries(kept).map(([name, slot]) => [name, isNumber(slot) ? 0 : w] as const);
  const problems = misfits(formsOf(Object.fromEntries(expected)), formsOf(saved));
  if (problems.length > 0) {
    const problem = `the state does not fit parameter ${i}: ${problems.join('; ')}`;
    const hint = 'use another state; of JSON, make tensors first: tensor(slot.data, { shape: slot.shape })';
    throw new OptimizerStateError(kind, problem, hint);
  }
  const load = (name: string, slot: Tensor | number): Tensor | number => {
    if (typeof slot !== 'number') return keep(converted(w, slot, kinds?.[name] === 'square' ? 0 : undefined));
    return kinds === undefined ? slot : expectInteger(kind, 'the count', slot, 0);
  };
  const loaded = slots.map(([name, slot]): [string, Tensor | number] => {
    const what = `${name} of parameter ${i}`;
    return [name, loading(OptimizerStateError, kind, what, () => load(name, slot))];
  });
  return Object.fromEntries(loaded);
}
