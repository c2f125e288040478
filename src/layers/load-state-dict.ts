/** How state dicts are checked and loaded. */
import { converted } from '../tensor/assign.ts';
import { expectBoolean, expectOptions, GammaBetaError, shown } from '../tensor/errors.ts';
import { type Forms, formsOf, isObject, loading, misfits, tensorOf } from '../tensor/misfits.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import type { Layer } from './layer.ts';
import type { LoadStateOptions, Slot, StateDict, Underway } from './state-dict.ts';

/** A state dict does not fit the model: entries are missing, unexpected, of another shape, or have impossible values. */
export class StateDictError extends GammaBetaError {
  override name = 'StateDictError';
}

/** Empty, except while training computes. */
export const underway: Underway = {};

/**
 * Checks and converts a state dict of a model. Returns the function that then loads it, which cannot fail.
 *
 * @throws {StateDictError} The state does not fit. The message lists all entries that do not.
 * @throws {DeviceError} A tensor of the state cannot be read.
 */
export function prepareState(
  op: string,
  model: Layer,
  state: Readonly<StateDict>,
  options: LoadStateOptions = {},
): () => void {
  const slots = new Map(model.registeredSlots());
  underway.expectNone?.(op, slots);
  expectOptions(op, options, ['strict']);
  const { strict = true } = options;
  expectBoolean(op, 'strict', strict);
  if (!isObject(state)) {
    const hint = 'pass an object of tensors by name, as model.stateDict() returns it';
    throw new StateDictError(op, `a state dict is expected: ${shown(state)}`, hint);
  }
  expectFit(op, model, formsOf(state), strict);
  const loaded = [...slots].filter(([name]) => Object.hasOwn(state, name));
  const writes = loaded.map(([name, slot]) =>
    loading(StateDictError, op, name, () => ready(slot, state[name])),
  );
  return () => writes.forEach((write) => write());
}

/** Checks and converts the source of one entry. Returns the function that then writes it. */
function ready({ held, least, check, write }: Slot, source: Tensor): () => void {
  if (held !== undefined) {
    const like = converted(held, source, least);
    return () => write(like);
  }
  if (check !== undefined) callUser(check, source);
  return () => callUser(write, source);
}

/** Throws {@link StateDictError} unless the entries of a state are tensors with the names and shapes of the model's. */
export function expectFit(op: string, model: Layer, found: Forms, strict: boolean): void {
  const expected = new Map(model.namedSlots().map(([name, { shape }]) => [name, tensorOf(shape)]));
  const problems = misfits(expected, found, strict);
  if (problems.length === 0) return;
  const problem = `the state does not fit ${model.toString()}: ${problems.join('; ')}`;
  const others = misfits(expected, found, false);
  const hint =
    others.length === 0
      ? 'build the model that was saved, or pass { strict: false }'
      : 'build the model that was saved; of arrays and JSON, make tensors first: tensor(values, { shape })';
  throw new StateDictError(op, problem, hint);
}
