import { describe, expect, it } from 'vitest';
import {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  kaimingUniform,
  manualSeed,
  ones,
  ShapeError,
  zeros,
} from '../../src/index.ts';
import { mean, refusal, variance } from './helpers.ts';
import { values } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ dtype, either }) => {
  const [fanIn, fanOut] = [240, 120];
  // Deviation and bound of each initializer for a weight [fanIn, fanOut]. Truncating a normal at two deviations
  // leaves 0.8796 of its deviation; like Keras, the initializers divide by this factor.
  const uniform = (limit: number) => ({ deviation: limit / Math.sqrt(3), bound: limit });
  const truncated = (deviation: number) => ({ deviation, bound: (2 * deviation) / 0.87962566103423978 });
  const table: { name: string; init: Initializer; deviation: number; bound: number }[] = [
    { name: 'heNormal', init: heNormal, ...truncated(Math.sqrt(2 / fanIn)) },
    { name: 'heUniform', init: heUniform, ...uniform(Math.sqrt(6 / fanIn)) },
    { name: 'glorotNormal', init: glorotNormal, ...truncated(Math.sqrt(2 / (fanIn + fanOut))) },
    { name: 'glorotUniform', init: glorotUniform, ...uniform(Math.sqrt(6 / (fanIn + fanOut))) },
    { name: 'kaimingUniform', init: kaimingUniform, ...uniform(1 / Math.sqrt(fanIn)) },
  ];

  describe.each(table)('$name', ({ name, init, deviation, bound }) => {
    const draw = (seed: number) => {
      manualSeed(seed);
      return values(init([fanIn, fanOut], { dtype }));
    };

    it('has mean 0 and the deviation in its paper, within 2 %', () => {
      const drawn = draw(11);
      expect(Math.abs(mean(drawn))).toBeLessThan(0.02 * deviation);
      expect(Math.abs(Math.sqrt(variance(drawn)) / deviation - 1)).toBeLessThan(0.02);
    });

    it('stays within its bounds and approaches both', () => {
      const drawn = draw(12);
      expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(either(bound, Math.fround(bound)));
      expect(Math.max(...drawn)).toBeGreaterThan(0.98 * bound);
      expect(Math.min(...drawn)).toBeLessThan(-0.98 * bound);
    });

    it('is uniform or normal, as its name says: the share of values in the inner half', () => {
      const drawn = draw(13);
      const inner = drawn.filter((value) => Math.abs(value) < bound / 2).length / drawn.length;
      // P(|z| < 1 | |z| < 2) for a standard normal z
      const expected = name.endsWith('Normal') ? 0.682689492 / 0.954499736 : 0.5;
      expect(Math.abs(inner - expected)).toBeLessThan(0.01);
    });

    it('draws the same values after the same seed, and new values at each call', () => {
      expect(draw(7)).toEqual(draw(7));
      expect(draw(7)).not.toEqual(draw(8));
      manualSeed(7);
      const [first, second] = [1, 2].map(() => values(init([3, 4])));
      expect(first).not.toEqual(second);
    });

    it('accepts dtype and requiresGrad', () => {
      const made = init([3, 4], { dtype, requiresGrad: true });
      expect(made).toMatchObject({ shape: [3, 4], dtype, requiresGrad: true, node: null });
      expect(init([3, 4])).toMatchObject({ dtype: 'float32', requiresGrad: false });
    });

    it.each([[[3]], [[3, 4, 5]], [[0, 4]], [[]]])('refuses the shape %j: it has no fan-in', (shape) => {
      expect(refusal(() => init(shape), ShapeError)).toMatch(new RegExp(`^${name}: no fan-in and fan-out`));
    });
  });

  describe('zeros and ones', () => {
    it('are initializers too', () => {
      const initializers: Initializer[] = [zeros, ones];
      expect(initializers.map((init) => values(init([1, 2])))).toEqual([[0, 0], [1, 1]]); // prettier-ignore
    });
  });
});
