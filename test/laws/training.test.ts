/**
 * The laws of training hold with `src/layers/fuse.ts` and without it, and they catch faults that are planted in what
 * merges the layers.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { scale } from '../../kernels/elementwise.ts';
import {
  BatchNorm1d,
  Dense,
  type Layer,
  LeakyReLU,
  manualSeed,
  ReLU,
  Sequential,
  type Tensor,
  uniform,
  useDevice,
} from '../../src/index.ts';
import { batchNorm } from '../../src/layers/batchnorm1d.ts';
import type { fuse } from '../../src/layers/fuse.ts';
import { type NetName, netNames, nets } from '../../src/networks.ts';
import { op, run } from '../../src/tensor/op.ts';
import type { Op } from '../../src/tensor/op-definition.ts';
import type { Value } from '../../src/tensor/value.ts';
import { expectParameterGradients } from '../layers/parameter-gradients.ts';
import { inFloat32, inFloat64 } from '../on-devices.ts';
import { withFusions } from './fusing-cpu.ts';
import { build, distanceToKink, networkSpecs } from './random-networks.ts';
import { expectEvaluationChangesNothing, expectSameResults, lossesOf, train } from './training-laws.ts';

type Fuse = typeof fuse;

/** The function that `Sequential` calls in place of `fuse`, and the library's `fuse`. */
const inUse = vi.hoisted(() => ({ fuse: null as Fuse | null, library: null as Fuse | null }));

vi.mock(import('../../src/layers/fuse.ts'), async (importOriginal) => {
  const original = await importOriginal();
  inUse.library = original.fuse;
  return { ...original, fuse: (...given) => (inUse.fuse ?? original.fuse)(...given) };
});

const fused: Fuse = (...given) => inUse.library?.(...given) ?? [];
const unfused: Fuse = (layers) => layers.map((layer) => (x) => layer.forward(x));
const ways: readonly (readonly [way: string, fuse: Fuse])[] = [
  ['with fuse.ts', fused],
  ['without fuse.ts', unfused],
];

afterEach(() => {
  inUse.fuse = null;
});

/** Trains a network with this `fuse`, and returns its results. */
function trained(fuse: Fuse, name: NetName, steps: number): ReturnType<typeof train> {
  inUse.fuse = fuse;
  return train(nets[name], steps);
}

// ── the laws ───────────────────────────────────────────────────────────────────────────────────────────

function sameTwice(fuse: Fuse, name: NetName): void {
  const [first, second] = [0, 1].map(() => trained(fuse, name, 3).results);
  expectSameResults(second, first);
}

function sameAsUnfused(fuse: Fuse, name: NetName, tolerance: number): void {
  const [found, expected] = [fuse, unfused].map((each) => trained(each, name, 4).results);
  expectSameResults(found, expected, tolerance);
}

async function evaluationChangesNothing(fuse: Fuse, name: NetName): Promise<void> {
  await expectEvaluationChangesNothing(trained(fuse, name, 1).model);
}

function gradientsMatch(fuse: Fuse, model: Sequential, x: Tensor): void {
  inUse.fuse = fuse;
  expectParameterGradients(model, x);
}

inFloat32(({ device }) => {
  describe.each(ways)('%s', (_way, fuse) => {
    it.each(netNames)('the net %s learns the built-in digits', (name) => {
      const losses = lossesOf(trained(fuse, name, 10).results);
      expect(losses).toHaveLength(10);
      expect(losses[0]).toBeGreaterThan(2); // ln 10 is 2.3
      expect(losses[9]).toBeLessThan(losses[0] / 2);
    });

    it.each(netNames)('training the net %s twice gives the same bits', (name) => sameTwice(fuse, name));

    it.each(netNames)('evaluating the net %s leaves its state unchanged', (name) =>
      evaluationChangesNothing(fuse, name),
    );
  });

  const [tolerance, what] = device === 'cpu' ? [0, 'to the bit'] : [1e-4, 'up to rounding'];
  it.each(netNames)(`the net %s trains the same both ways, ${what}`, (name) =>
    sameAsUnfused(fused, name, tolerance),
  );
});

inFloat64(() => {
  // The cpu merges no layers by itself, so it is given fused kernels here.
  it.each(ways)('the gradients of random networks match finite differences, %s', (_way, fuse) =>
    withFusions(() => {
      fc.assert(
        fc.property(networkSpecs, (spec) => {
          const { model, x, flat } = build(spec);
          fc.pre(distanceToKink(flat, x) > 1e-3);
          gradientsMatch(fuse, model, x);
        }),
      );
    }),
  );
});

// ── planted faults ─────────────────────────────────────────────────────────────────────────────────────

const isActivation = (layer: Layer) => layer instanceof ReLU || layer instanceof LeakyReLU;

/** Steps one by one, with another step in place of each batch normalization. */
const withNorm =
  (step: (norm: BatchNorm1d, x: Tensor) => Tensor): Fuse =>
  (layers) =>
    layers.map((layer) => (x) => (layer instanceof BatchNorm1d ? step(layer, x) : layer.forward(x)));

/** The steps of the library, each followed by `fault`. */
const after =
  (fault: (y: Tensor) => Tensor): Fuse =>
  (...given) =>
    fused(...given).map((step) => (x) => fault(step(x)));

const gradientTooLarge: Op<[x: Value]> = op({
  name: 'gradientTooLarge',
  forward: (x) => run(scale, [x], { factor: 1 }),
  backward: (g) => [() => run(scale, [g], { factor: 1.01 })],
});

let calls = 0;

const faults: Record<string, Fuse> = {
  'a wrong slope in the merged op': (layers, sequence) =>
    fused(
      layers.map((layer) => (layer instanceof LeakyReLU ? new LeakyReLU(0.31) : layer)),
      sequence,
    ),
  'an activation that is left out': (layers, sequence) =>
    fused(
      layers.filter((layer) => !isActivation(layer)),
      sequence,
    ),
  'running statistics that do not move': withNorm((norm, x) => {
    const [gamma, beta, eps] = norm.trainingArguments(x.shape[0]);
    norm.countBatch();
    return batchNorm(x, gamma, beta, eps);
  }),
  'a batch that is counted twice': withNorm((norm, x) => {
    norm.countBatch();
    return norm.forward(x);
  }),
  'running statistics that move in evaluation': withNorm((norm, x) => {
    const { training } = norm;
    const y = norm.train().forward(x);
    norm.train(training);
    return y;
  }),
  'a gradient that is too large by 1 %': after((y) => gradientTooLarge(y)),
  'a gradient that is cut off': (...given) =>
    fused(...given).map((step, at) => (x) => step(at === 0 ? x : x.detach())),
  'a result that depends on the number of calls': after((y) => y.mul(1 + 1e-6 * calls++)),
};

describe('a planted fault', () => {
  beforeEach(() => useDevice('wasm'));

  it.each<[what: keyof typeof faults, name: NetName]>([
    ['a wrong slope in the merged op', 'plain'],
    ['an activation that is left out', 'bn'],
    ['running statistics that do not move', 'bn-pre'],
    ['a batch that is counted twice', 'bn'],
    ['a gradient that is too large by 1 %', 'plain'],
    ['a gradient that is cut off', 'plain'],
  ])('is caught by the comparison with separate layers: %s', (what, name) => {
    expect(() => sameAsUnfused(faults[what], name, 1e-4)).toThrow(/is .*, and not|a tensor was expected/);
  });

  it('is caught by training twice: a result that depends on the number of calls', () => {
    expect(() => sameTwice(faults['a result that depends on the number of calls'], 'plain')).toThrow(
      /and not/,
    );
  });

  it('is caught by evaluation: running statistics that move in it', async () => {
    const moved = evaluationChangesNothing(faults['running statistics that move in evaluation'], 'bn');
    await expect(moved).rejects.toThrow(/(?:running_mean|num_batches_tracked)\[\d+\] is/);
  });

  it.each(['a gradient that is too large by 1 %', 'a gradient that is cut off'])(
    'is caught by finite differences: %s',
    async (what) => {
      await useDevice('cpu');
      manualSeed(1);
      const float64 = { dtype: 'float64' } as const;
      const hidden = [new Dense(4, 3, float64), new LeakyReLU(0.3)];
      const model = new Sequential(new BatchNorm1d(4, float64), ...hidden, new Dense(3, 2, float64));
      const x = uniform([5, 4], -1, 1, float64);
      await withFusions(() => {
        gradientsMatch(fused, model, x);
        expect(() => gradientsMatch(faults[what], model, x)).toThrow();
      });
    },
  );
});
