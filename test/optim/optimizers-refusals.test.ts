/** Invalid options and parameters of optimizers, and their error messages. */
import { describe, expect, it } from 'vitest';
import { Adam, AdamW, Dense, RMSprop, Sequential, SGD, tensor, ValueError } from '../../src/index.ts';
import { refusal } from '../layers/helpers.ts';
import { leaf } from '../tensors.ts';
import { type Options, optimizers, parameters } from './helpers.ts';

const classes = { SGD, Adam, AdamW, RMSprop };
const untyped = (value: unknown): never => value as never;
const kinds = ['SGD', 'Adam', 'AdamW', 'RMSprop'] as const;
type Wrong = [options: Partial<Options>, problem: string];

const always: Wrong[] = [
  ...[0, -0.1, NaN, Infinity].map((lr): Wrong => [{ lr }, `lr is ${lr}`]),
  ...[-0.1, NaN, Infinity].map((weightDecay): Wrong => [{ weightDecay }, `weightDecay is ${weightDecay}`]),
  [{ learningRate: 1 }, 'unknown option: learningRate'],
  [{ momentun: 0.9, lambda: 1 }, 'unknown option: momentun, lambda'],
];
const eps: Wrong[] = [0, 2 ** -127, -1e-8, NaN, Infinity].map((value) => [{ eps: value }, `eps is ${value}`]);
const momentum: Wrong[] = [-0.1, 1, NaN].map((value) => [{ momentum: value }, `momentum is ${value}`]);
const betas: Wrong[] = [
  [{ betas: [-0.1, 0.9] }, 'betas[0] is -0.1'],
  [{ betas: [1, 0.9] }, 'betas[0] is 1'],
  [{ betas: [0.9, 1] }, 'betas[1] is 1'],
  [{ betas: [0.9, NaN] }, 'betas[1] is NaN'],
  [{ betas: [0.9] }, 'betas is an Array of 1'],
  [{ betas: [0.9, 0.99, 0.999] }, 'betas is an Array of 3'],
  [{ betas: 0.9 }, 'betas is 0.9'],
  [{ momentum: 0.9 }, 'unknown option: momentum'],
];
const wrong: Record<(typeof kinds)[number], Wrong[]> = {
  SGD: [
    ...always,
    ...momentum,
    ...[-0.1, 1.1, NaN].map((value): Wrong => [{ dampening: value }, `dampening is ${value}`]),
    [{ nesterov: true }, 'nesterov with momentum 0 and dampening 0'],
    [{ nesterov: true, momentum: 0.9, dampening: 0.1 }, 'nesterov with momentum 0.9 and dampening 0.1'],
    [{ eps: 1e-8 }, 'unknown option: eps'],
  ],
  Adam: [...always, ...eps, ...betas],
  AdamW: [...always, ...eps, ...betas],
  RMSprop: [
    ...always,
    ...eps,
    ...momentum,
    ...[-0.1, 1, NaN].map((value): Wrong => [{ alpha: value }, `alpha is ${value}`]),
    [{ betas: [0.9, 0.99] }, 'unknown option: betas'],
  ],
};
const cases = kinds.flatMap((kind) => wrong[kind].map(([options, problem]) => ({ kind, options, problem })));

describe('an optimizer refuses', () => {
  it.each(cases)('$kind: $problem', ({ kind, options, problem }) => {
    const make = optimizers[kind];
    const message = refusal(() => make(parameters(), { lr: 0.1, ...options }), ValueError);
    expect(message.startsWith(`${kind}: ${problem}`)).toBe(true);
  });

  it.each(cases)('invalid options of a parameter group: $kind: $problem', ({ kind, options, problem }) => {
    const [a, b] = parameters();
    const groups = [{ params: [a] }, { params: [b], ...options }];
    const message = refusal(() => optimizers[kind](groups, { lr: 0.1 }), ValueError);
    expect(message.startsWith(`${kind}: ${problem}`)).toBe(true);
  });

  it.each(kinds)('no parameters: %s', (kind) => {
    for (const none of [[], [{ params: [] }]]) {
      expect(refusal(() => optimizers[kind](none, { lr: 1 }), ValueError)).toContain(
        `${kind}: no parameters`,
      );
    }
  });

  it.each(kinds)('what is no array of tensors, such as a model: %s', (kind) => {
    const model = new Sequential(new Dense(2, 2));
    for (const params of [model, undefined, null, tensor([1]), [model], [[1, 2]], 'params', [null]]) {
      const message = refusal(() => optimizers[kind](untyped(params), { lr: 1 }), ValueError);
      expect(message).toMatch(
        /: params(\[0\])? is .+\. Hint: pass model\.parameters\(\), or an array of tensors$/,
      );
      expect(message.startsWith(kind)).toBe(true);
    }
    expect(optimizers[kind](model.parameters(), { lr: 1 }).parameters).toHaveLength(2);
    const group = { params: untyped(model) };
    expect(refusal(() => optimizers[kind]([group], { lr: 1 }), ValueError)).toContain('params is a layer');
  });

  it.each(kinds)('a learning rate by position: new %s(params, 0.5)', (kind) => {
    const message = refusal(() => new classes[kind]([leaf([1])], untyped(0.5)), ValueError);
    expect(message).toMatch(new RegExp(`^${kind}: options is 0\\.5\\. Hint: .* \\{ lr: value \\}`));
  });

  it.each(kinds)('numbers and booleans of another type: %s', (kind) => {
    const make = (options: object) => optimizers[kind]([leaf([1])], { lr: 0.1, ...options });
    expect(refusal(() => make({ lr: '0.1' }), ValueError)).toContain("lr is '0.1' (a string)");
    const flag = { SGD: 'nesterov', Adam: 'amsgrad', AdamW: 'amsgrad', RMSprop: 'centered' }[kind];
    expect(refusal(() => make({ [flag]: 'false' }), ValueError)).toContain(`${flag} is 'false' (a string)`);
    const optimizer = make({});
    expect(refusal(() => (optimizer.lr = untyped('0.2')), ValueError)).toContain("lr is '0.2' (a string)");
    expect(optimizer.lr).toBe(0.1);
  });

  it('a closure for step(), as PyTorch takes: the gradients are computed before it', () => {
    const w = leaf([1]);
    const optimizer = new SGD([w], { lr: 0.1 });
    w.sum().backward();
    const message = refusal(() => optimizer.step(untyped(() => 0)), ValueError);
    expect(message).toContain('loss.backward()');
    expect(w.toArray()).toEqual([1]);
  });

  it.each(kinds)('a parameter that appears twice: %s', (kind) => {
    const [a, b] = parameters();
    const twice = `${kind}: a parameter is given twice`;
    expect(refusal(() => optimizers[kind]([a, b, a], { lr: 1 }), ValueError)).toContain(twice);
    const groups = [{ params: [a] }, { params: [b, a] }];
    expect(refusal(() => optimizers[kind](groups, { lr: 1 }), ValueError)).toContain(twice);
  });

  it.each(kinds)('a tensor that is not a leaf: %s', (kind) => {
    const [a] = parameters();
    const message = refusal(() => optimizers[kind]([a, leaf([1]).mul(2)], { lr: 1 }), ValueError);
    expect(message).toContain('not all parameters are leaf tensors');
  });

  it.each([-0.1, NaN, Infinity])('to set the learning rate to %s, and keeps the previous one', (lr) => {
    for (const kind of kinds) {
      const optimizer = optimizers[kind]([tensor([1], { requiresGrad: true })], { lr: 0.5 });
      expect(refusal(() => (optimizer.lr = lr), ValueError)).toContain(`${kind}: lr is ${lr}`);
      expect(optimizer.lr).toBe(0.5);
    }
  });
});

describe('an optimizer accepts', () => {
  it.each([
    { kind: 'SGD', options: { momentum: 0, dampening: 1 } },
    { kind: 'SGD', options: { momentum: 0.999, nesterov: true } },
    { kind: 'Adam', options: { betas: [0, 0] } },
    { kind: 'AdamW', options: { weightDecay: 0 } },
    { kind: 'RMSprop', options: { alpha: 0 } },
  ] as const)('the limits of the ranges: $kind $options', ({ kind, options }) => {
    const optimizer = optimizers[kind](parameters(), { lr: 1e-9, ...options });
    expect(optimizer.stateDict().groups[0].options).toMatchObject({ lr: 1e-9, ...options });
  });
});
