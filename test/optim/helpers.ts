/** Optimizers by name, and parameters and gradients to test them with. */
import {
  Adam,
  AdamW,
  type LearningRate,
  type Optimizer,
  type ParameterGroup,
  RMSprop,
  SGD,
  type Tensor,
} from '../../src/index.ts';
import { wide, leaf, values } from '../tensors.ts';

/** Any options, also invalid ones, with a learning rate. */
export type Options = LearningRate & Readonly<Record<string, unknown>>;

type Params = readonly Tensor[] | readonly ParameterGroup<LearningRate>[];

/** Constructors of the optimizers, by name. */
export const optimizers: Readonly<
  Record<'SGD' | 'Adam' | 'AdamW' | 'RMSprop', (params: Params, options: Options) => Optimizer<LearningRate>>
> = {
  SGD: (params, options) => new SGD(params, options),
  Adam: (params, options) => new Adam(params, options),
  AdamW: (params, options) => new AdamW(params, options),
  RMSprop: (params, options) => new RMSprop(params, options),
};

/** Options that turn on all features, and so all slots, of each optimizer. */
export const variants: readonly { readonly kind: keyof typeof optimizers; readonly options: Options }[] = [
  { kind: 'SGD', options: { lr: 0.1 } },
  { kind: 'SGD', options: { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 } },
  { kind: 'SGD', options: { lr: 0.1, momentum: 0.9, dampening: 0.5 } },
  { kind: 'Adam', options: { lr: 0.1, amsgrad: true, weightDecay: 0.01 } },
  { kind: 'AdamW', options: { lr: 0.1, weightDecay: 0.1 } },
  { kind: 'RMSprop', options: { lr: 0.1, momentum: 0.9, centered: true, weightDecay: 0.01 } },
];

/** Two parameters, [2, 2] and [3]. */
export function parameters(): [Tensor, Tensor] {
  return [leaf([[1, -2], [0.5, 3]]), leaf([-1, 0.25, 2])]; // prettier-ignore
}

/** Sets gradients of varying size and sign that depend on the parameter and on the step t. */
export function setGradients(params: readonly Tensor[], t: number): void {
  for (const w of params) {
    const g = Array.from(w.dataSync(), (value, i) => value / 3 + (t === 2 ? 30 : 1) * Math.sin(5 * t + i));
    w.grad = wide(g).reshape(w.shape);
  }
}

/** Runs the steps `from` to `to` − 1. */
export function takeSteps(
  optimizer: Optimizer<LearningRate>,
  params: readonly Tensor[],
  from: number,
  to: number,
): void {
  for (let t = from; t < to; t++) {
    setGradients(params, t);
    optimizer.step();
  }
}

/** The slots of each parameter as plain numbers. */
export function remembered(optimizer: Optimizer<LearningRate>): Record<string, number | number[]>[] {
  return optimizer
    .stateDict()
    .slots.map((slots) =>
      Object.fromEntries(
        Object.entries(slots).map(([name, slot]) => [name, typeof slot === 'number' ? slot : values(slot)]),
      ),
    );
}
