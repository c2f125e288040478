/** The link: what it holds, and what is said of one that cannot be read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultTraining } from '../training/settings.ts';
import { defaults, limits, readHash, type State, writeHash } from '../page/state.ts';
import { activations, kinds, norms } from '../../experiments/lab/nets.ts';

const number = fc
  .double({ min: -limits.value, max: limits.value, noNaN: true })
  .map((value) => (value === 0 ? 0 : value));
const states: fc.Arbitrary<State> = fc.integer({ min: 2, max: 12 }).chain((m) =>
  fc.record({
    x: fc.array(number, { minLength: m, maxLength: m }),
    g: fc.array(number, { minLength: m, maxLength: m }),
    gamma: number,
    beta: number,
    eps: fc.double({ min: limits.eps[0], max: limits.eps[1], noNaN: true }),
    paths: fc.record({ direct: fc.boolean(), mean: fc.boolean(), variance: fc.boolean() }),
    turn: fc.tuple(fc.integer({ min: 0, max: 359 }), fc.integer({ min: -90, max: 90 })),
    axes: fc.constantFrom(2 as const, 3 as const),
    step: fc.integer({ min: 0, max: 7 }),
    seen: fc.integer({ min: 0, max: 60 }),
    neighbours: fc.integer({ min: 1, max: 999 }),
    convention: fc.constantFrom('PyTorch' as const, 'Keras' as const, 'ONNX' as const),
    training: fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
      lr: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
      batchSize: fc.integer({ min: 2, max: 256 }),
      scale: fc.double({ min: 0.001, max: 1000, noNaN: true }),
      activation: fc.constantFrom(...activations),
      norm: fc.constantFrom(...kinds),
      place: fc.constantFrom(...norms),
      layers: fc.integer({ min: 1, max: 8 }),
    }),
    claim: fc.constantFrom(null, ...claims),
  }),
);

const claims = ['speed', 'small-batches'];

describe('the link', () => {
  it('holds the whole state', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(readHash(writeHash(state), claims)).toEqual({ state, problems: [] });
      }),
    );
  });

  it('of the contract is read', () => {
    const { state, problems } = readHash('#x=1,2,3,4&g=1,0,0,0&gamma=2&beta=0.5&eps=0.00001', claims);
    expect(problems).toEqual([]);
    expect(state).toEqual({
      ...defaults,
      x: [1, 2, 3, 4],
      g: [1, 0, 0, 0],
      gamma: 2,
      beta: 0.5,
      eps: 0.00001,
    });
  });

  it('of an earlier page, without the kind of normalization, sets batch normalization', () => {
    const { state, problems } = readHash('#seed=4&lr=0.1&place=after', claims);
    expect(problems).toEqual([]);
    expect(state.training).toEqual({ ...defaultTraining, seed: 4, lr: 0.1, place: 'after' });
    expect(state.training.norm).toBe('batch');
    expect(writeHash(state)).not.toContain('norm=');
  });

  it('may be empty', () => {
    expect(readHash('', claims)).toEqual({ state: defaults, problems: [] });
  });

  it('gives x a gradient of its length', () => {
    expect(readHash('#x=5,6,7', claims).state.g).toEqual([1, 0, 0]);
  });

  it.each([
    ['#x=1,a,3', 'x: “a” is not a number.'],
    ['#x=', 'x: There are no numbers here.'],
    ['#x=1,,2', 'x: A number is missing.'],
    ['#x=5', 'x: One value has no variance: batch normalization needs at least 2.'],
    ['#x=1e308,2', 'x: 1e308 is too large: use numbers from −10⁹ to 10⁹.'],
    ['#x=Infinity,2', 'x: Infinity is too large: use numbers from −10⁹ to 10⁹.'],
    ['#x=1,2,3,4,5,6,7,8,9,10,11,12,13', 'x: 13 values are too many for the pictures: use at most 12.'],
    ['#x=1,2,3&g=1', 'g: its length is 1, and x has length 3: give one g for each x.'],
    ['#eps=0', 'eps: ε is 0: use a number from 10⁻¹² to 1000.'],
    ['#gamma=', 'gamma: A number is missing.'],
    ['#paths=all', 'paths: “all” is not a path.'],
    ['#paths=toString', 'paths: “toString” is not a path.'],
    ['#batch=1', 'batch: 1 is outside 2 … 256.'],
    ['#lr=0', 'lr: 0 is outside 1·10⁻⁹ … 1·10⁹.'],
    ['#layers=2.5', 'layers: 2.5 is not a whole number.'],
    ['#activation=gelu', 'activation: “gelu” is not one of relu, leakyRelu, sigmoid, tanh.'],
    ['#norm=instance', 'norm: “instance” is not one of batch, layer, group.'],
    ['#convention=JAX', 'convention: “JAX” is not one of PyTorch, Keras, ONNX.'],
    ['#speed=1', '“speed” is not a setting of this page.'],
    ['#x=%', '“x=%” is not a part of a link.'],
  ])('%s: %s', (hash, problem) => {
    const { state, problems } = readHash(hash, claims);
    expect(problems).toEqual([problem]);
    expect(state.eps).toBe(defaults.eps);
  });
});
