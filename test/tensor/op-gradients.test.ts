/** The gradients of every op are its derivatives. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Tensor } from '../../src/index.ts';
import { LINEAR } from '../../kernels/fused/dense.ts';
import { denseActivation } from '../../src/layers/fuse.ts';
import { joined } from '../../src/tensor/functions/concat.ts';
import * as tensorOps from '../../src/tensor/ops.ts';
import { type GradientCase, gradientMatches } from '../laws/kernel-laws.ts';
import {
  anywhere,
  awayFromZero,
  broadcastable,
  distinct,
  type Draw,
  drawn,
  extent,
  positive,
  seeds,
  shapeAndAxis,
  shapes,
} from './draw.ts';
import { f64 } from '../tensors.ts';
import { inFloat64 } from '../on-devices.ts';

const ops = { ...tensorOps, concat: joined };

/** The ops with one argument, a tensor. Without a case of their own, they are checked at random points of any shape. */
type Unary = {
  [Name in keyof typeof ops]: (typeof ops)[Name] extends (x: Tensor) => Tensor ? Name : never;
}[keyof typeof ops];

inFloat64(() => {
  type Cases = fc.Arbitrary<GradientCase>;

  const unary = (op: (x: Tensor) => Tensor, draw: Draw = anywhere, minRank = 0): Cases =>
    fc.tuple(shapes(minRank), seeds).map(([shape, seed]) => ({ fn: op, inputs: [drawn(shape, seed, draw)] }));

  const withConstant = (
    op: (x: Tensor, c: number) => Tensor,
    constants: number[],
    draw: Draw = anywhere,
  ): Cases =>
    fc.tuple(shapes(), seeds, fc.constantFrom(...constants)).map(([shape, seed, c]) => ({
      fn: (x) => op(x, c),
      inputs: [drawn(shape, seed, draw)],
    }));

  const binary = (op: (a: Tensor, b: Tensor) => Tensor, draw: Draw = anywhere): Cases =>
    fc.tuple(shapes(), seeds).map(([shape, seed]) => ({
      fn: op,
      inputs: [drawn(shape, seed), drawn(shape, seed + 1, draw)],
    }));

  const alongAxis = (
    op: (x: Tensor, axis: number) => Tensor,
    make: (shape: number[], seed: number) => Tensor = drawn,
  ): Cases =>
    fc.tuple(shapeAndAxis, seeds).map(([{ shape, axis }, seed]) => ({
      fn: (x) => op(x, axis),
      inputs: [make(shape, seed)],
    }));

  /** For tensors of n columns: even columns are positive, odd columns negative. */
  const byColumn =
    (n: number): Draw =>
    (random, i) =>
      ((i % n) % 2 === 0 ? 1 : -1) * positive(random, i);

  /** Ops that need particular values, shapes or constants. A missing one is a type error. */
  const listed: Record<Exclude<keyof typeof ops, Unary> | 'denseActivation', Cases> &
    Partial<Record<Unary, Cases>> = {
    add: binary(ops.add),
    sub: binary(ops.sub),
    mul: binary(ops.mul),
    div: binary(ops.div, awayFromZero),
    maximum: fc.tuple(shapes(), seeds).map(([shape, seed]) => ({
      fn: ops.maximum,
      inputs: [distinct(shape, seed), distinct(shape, seed + 1, 1 / 8)],
    })),
    scale: withConstant(ops.scale, [-2, 0, 0.5, 1]),
    pow: fc.oneof(
      withConstant(ops.pow, [-2, -0.5, 0.5, 2.5, 3], positive),
      withConstant(ops.pow, [-1, 0, 1, 2, 3, 4], awayFromZero),
    ),
    log: unary(ops.log, positive),
    sqrt: unary(ops.sqrt, positive),
    abs: unary(ops.abs, awayFromZero),
    relu: unary(ops.relu, awayFromZero),
    leakyRelu: withConstant(ops.leakyRelu, [0, 0.01, 0.5, -1, 1], awayFromZero),
    matmul: fc.tuple(extent, extent, extent, seeds).map(([m, k, n, seed]) => ({
      fn: ops.matmul,
      inputs: [drawn([m, k], seed), drawn([k, n], seed + 1)],
    })),
    addBias: fc.tuple(extent, extent, seeds).map(([m, n, seed]) => ({
      fn: ops.addBias,
      inputs: [drawn([m, n], seed), drawn([n], seed + 1)],
    })),
    denseActivation: fc
      .tuple(extent, extent, extent, seeds, fc.constantFrom(0, 0.01, 0.5, LINEAR))
      .map(([m, k, n, seed, slope]) => ({
        fn: (x, W, b) => denseActivation(x, W, b, slope),
        // Every second column is negative, and no value is near the kink at 0.
        inputs: [
          drawn([m, k], seed, positive),
          drawn([k, n], seed + 1, byColumn(n)),
          drawn([n], seed + 2, byColumn(n)),
        ],
      })),
    transpose: unary(ops.transpose, anywhere, 2),
    sum: alongAxis(ops.sum),
    max: alongAxis(ops.max, distinct),
    softmax: alongAxis(ops.softmax),
    logSoftmax: alongAxis(ops.logSoftmax),
    expand: fc.tuple(broadcastable, seeds).map(([{ a, y }, seed]) => ({
      fn: (x) => ops.expand(x, y),
      inputs: [drawn(a, seed)],
    })),
    reshape: fc.tuple(shapes(), seeds).map(([shape, seed]) => ({
      fn: (x) => ops.reshape(x, [1, ...shape.toReversed(), 1]),
      inputs: [drawn(shape, seed)],
    })),
    slice: fc.tuple(shapeAndAxis, fc.nat(), fc.nat(), seeds).map(([{ shape, axis }, p, q, seed]) => {
      const [begin, end] = [p, q].map((place) => place % (shape[axis] + 1)).sort((a, b) => a - b);
      return { fn: (x) => ops.slice(x, axis, begin, end), inputs: [drawn(shape, seed)] };
    }),
    gather: fc.tuple(shapes(1), fc.array(fc.nat(), { maxLength: 7 }), seeds).map(([shape, rows, seed]) => {
      const indices = f64(rows.map((row) => row % shape[0]));
      return { fn: (x) => ops.gather(x, { indices }), inputs: [drawn(shape, seed)] };
    }),
    concat: fc
      .tuple(shapeAndAxis, fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }), seeds)
      .map(([{ shape, axis }, parts, seed]) => ({
        fn: (...inputs) => ops.concat(axis, ...inputs),
        inputs: parts.map((n, k) => drawn(shape.with(axis, n), seed + k)),
      })),
  };

  const unlisted = (Object.keys(ops) as (keyof typeof ops)[]).filter((name) => !(name in listed)) as Unary[];
  const cases = { ...listed, ...Object.fromEntries(unlisted.map((name) => [name, unary(ops[name])])) };

  describe('gradients equal derivatives', () => {
    it.each(Object.entries(cases))('%s', (_name, gradientCases) => gradientMatches(gradientCases));
  });
});
