/** Optimizers in PyTorch's terms. The update rules are the same; names and the layout of the state differ. */
import type { SafetensorsTensor } from '../../io/safetensors.ts';
import { pytorchEntries, transposed } from '../../io/weights.ts';
import type { Layer } from '../../layers/layer.ts';
import { Adam, AdamW } from '../../optim/adam.ts';
import type { Optimizer } from '../../optim/optimizer.ts';
import type { LearningRate } from '../../optim/optimizer-options.ts';
import type { OptimizerState, Slots } from '../../optim/optimizer-state.ts';
import { RMSprop } from '../../optim/rmsprop.ts';
import { SGD } from '../../optim/sgd.ts';
import { ValueError } from '../../tensor/errors.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { PythonValue } from './python-code.ts';

/** PyTorch's names of the slots of each optimizer. */
const slotNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  SGD: { velocity: 'momentum_buffer' },
  Adam: { step: 'step', m: 'exp_avg', v: 'exp_avg_sq', largest: 'max_exp_avg_sq' },
  AdamW: { step: 'step', m: 'exp_avg', v: 'exp_avg_sq', largest: 'max_exp_avg_sq' },
  RMSprop: { v: 'square_avg', average: 'grad_avg', buffer: 'momentum_buffer' },
};

const kinds = [SGD, Adam, AdamW, RMSprop] as const;

/** An optimizer at one moment. */
export interface TorchOptimizer {
  /** The name of the class in `torch.optim`. */
  readonly name: string;
  /** The names of the parameters of each group, with its options. */
  readonly groups: readonly Readonly<Record<string, PythonValue>>[];
  /** The tensors of the state by `slot.parameter`, such as `exp_avg.0.weight`. */
  readonly state: () => Promise<Readonly<Record<string, SafetensorsTensor>>>;
}

/**
 * @throws {ValueError} The optimizer has no form in PyTorch, or holds a parameter that is not the model's.
 */
export function torchOptimizer(model: Layer, optimizer: Optimizer<LearningRate>): TorchOptimizer {
  if (!kinds.some((kind) => optimizer.constructor === kind)) {
    const problem = `the optimizer ${optimizer.constructor.name} has no form in PyTorch`;
    throw new ValueError('exportPyTorch', problem, 'use SGD, Adam, AdamW or RMSprop');
  }
  const nameOf = new Map(model.namedParameters().map(([name, w]) => [w, name]));
  const names = optimizer.parameters.map((w) => nameOf.get(w));
  if (!names.every((name) => name !== undefined)) {
    const problem = 'the optimizer holds a parameter that is not one of the model';
    throw new ValueError(
      'exportPyTorch',
      problem,
      'make the optimizer with model.parameters() of this model',
    );
  }
  const { optimizer: kind, groups, slots } = optimizer.stateDict();
  return {
    name: kind,
    groups: groups.map(({ params, options }) => ({
      params: params.map((i) => names[i]),
      ...renamed(options as Readonly<Record<string, PythonValue>>),
    })),
    state: () => stateOf(model, names, kind, slots),
  };
}

/** `weightDecay` is `weight_decay` there. */
function renamed(options: Readonly<Record<string, PythonValue>>): Readonly<Record<string, PythonValue>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      value,
    ]),
  );
}

async function stateOf(
  model: Layer,
  names: readonly string[],
  kind: string,
  slots: OptimizerState['slots'],
): Promise<Readonly<Record<string, SafetensorsTensor>>> {
  const isTransposed = (name: string): boolean => pytorchEntries(model).get(name) === 'transposed';
  const entries = names.flatMap((name, i) =>
    slotsOf(kind, slots[i]).map(async ([slot, value]): Promise<[string, SafetensorsTensor]> => {
      const key = `${slot}.${name}`;
      if (!(value instanceof Tensor)) return [key, { dtype: 'F32', shape: [], data: Float32Array.of(value) }];
      const floats = { shape: value.shape, data: await value.data() };
      const dtype = floats.data instanceof Float64Array ? 'F64' : 'F32';
      return [key, { dtype, ...(isTransposed(name) ? transposed(floats) : floats) }];
    }),
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** The slots of one parameter by PyTorch's names. PyTorch counts the steps of RMSprop, but does not use the number. */
function slotsOf(kind: string, slots: Slots): [name: string, slot: Tensor | number][] {
  const { [kind]: known } = slotNames;
  const found = Object.entries(slots).map(([name, slot]): [string, Tensor | number] => [known[name], slot]);
  return kind === 'RMSprop' && found.length > 0 ? [...found, ['step', 0]] : found;
}
