/** Random shapes and tensors for fast-check. */
import fc from 'fast-check';
import { type Tensor, tensor } from '../../src/index.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { values, widest } from '../tensors.ts';

/** Makes element i of a random tensor. `random` is uniform over [0, 1). */
export type Draw = (random: () => number, i: number) => number;

/** At least 0.3 away from 0, where |x| and max(0, x) have their kinks. */
export const awayFromZero: Draw = (random) => (random() < 0.5 ? -1 : 1) * (0.3 + 2 * random());
export const positive: Draw = (random) => 0.3 + 2 * random();
export const anywhere: Draw = (random) => 4 * random() - 2;

/** A random tensor of the widest dtype that requires a gradient. fast-check prints its shape and seed. */
export function drawn(shape: readonly number[], seed: number, draw: Draw = anywhere): Tensor {
  const stream = seededStream(seed);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = Float64Array.from({ length: size }, (_, i) => draw(() => stream.uniform(), i));
  const x = tensor(data, { shape, dtype: widest(), requiresGrad: true });
  return Object.assign(x, { [fc.toStringMethod]: () => `[${shape.join(', ')}] of seed ${seed}` });
}

/** Values in random order that differ by at least 0.25, so that there are no ties; `beside` is added to all. */
export function distinct(shape: readonly number[], seed: number, beside = 0): Tensor {
  const keys = values(drawn(shape, seed));
  const order = keys.map((_, i) => i).sort((a, b) => keys[a] - keys[b]);
  const ranks = new Float64Array(keys.length);
  order.forEach((i, rank) => (ranks[i] = 0.25 * (rank - Math.floor(keys.length / 2)) + beside));
  return tensor(ranks, { shape, dtype: widest(), requiresGrad: true });
}

export const seeds: fc.Arbitrary<number> = fc.nat();
export const extent: fc.Arbitrary<number> = fc.constantFrom(1, 2, 3, 4, 5);

/** Shapes of rank `minRank` to 3. */
export function shapes(minRank = 0): fc.Arbitrary<number[]> {
  return fc.array(extent, { minLength: minRank, maxLength: Math.max(3, minRank) });
}

/** A shape and one of its axes. */
export const shapeAndAxis: fc.Arbitrary<{ shape: number[]; axis: number }> = shapes(1).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1) }),
);

/** Two shapes that broadcast, and the broadcast shape. */
export const broadcastable: fc.Arbitrary<{ a: number[]; b: number[]; y: number[] }> = fc
  .record({
    y: shapes(),
    ones: fc.array(fc.constantFrom('a', 'b', 'neither'), { minLength: 3, maxLength: 3 }),
    shorter: fc.constantFrom('a', 'b'),
    dropped: fc.nat(3),
  })
  .map(({ y, ones, shorter, dropped }) => {
    const of = (name: string) => {
      const shape = y.map((n, axis) => (ones[axis] === name ? 1 : n));
      return name === shorter ? shape.slice(dropped) : shape;
    };
    // An axis that only the longer shape has, with extent 1, has extent 1 in the result.
    const [a, b] = [of('a'), of('b')];
    const at = (shape: number[], axis: number) => shape[axis - (y.length - shape.length)] ?? 1;
    return {
      a,
      b,
      y: y
        .map((_, axis) => Math.max(at(a, axis), at(b, axis)))
        .slice(y.length - Math.max(a.length, b.length)),
    };
  });

/** The element at an index of the broadcast tensor: axes are aligned at the last one, extents of 1 are repeated. */
export function broadcastAt(x: Tensor, index: readonly number[]): number {
  const own = index.slice(index.length - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i));
  return x.dataSync()[own.reduce((place, i, axis) => place * x.shape[axis] + i, 0)];
}

/** All indices of a shape in row-major order. */
export function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, n) => all.flatMap((index) => Array.from({ length: n }, (_, i) => [...index, i])),
    [[]],
  );
}
