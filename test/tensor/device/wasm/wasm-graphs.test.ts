/**
 * Tests with random graphs: gradients on wasm match those on the cpu, and tensors that a program keeps stay unchanged.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concat, defineOp, noGrad, type Tensor, tensor, useDevice } from '../../../../src/index.ts';
import { seededStream } from '../../../../src/tensor/seed.ts';
import { values } from '../../../tensors.ts';
import { Held } from './wasm-device.ts';

const ROWS = 3;
const COLUMNS = 5;

/** An offset that moves values off a kink, where rounding could put the two devices on different sides. */
const beside = () =>
  tensor(
    Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => 0.3 * Math.sin(i + 1)),
    { shape: [ROWS, COLUMNS] },
  );

/** The ops of the graphs, on shape [3, 5]. An op may hold its inputs and results. */
const ops: Record<string, (held: Held, a: Tensor, b: Tensor) => Tensor> = {
  add: (_, a, b) => a.add(b),
  sub: (_, a, b) => a.sub(b),
  mul: (_, a, b) => a.mul(b).tanh(),
  div: (_, a, b) => a.div(b.mul(b).add(1)),
  maximum: (_, a, b) => a.maximum(b.add(beside())),
  twice: (_, a) => a.add(a),
  scaled: (_, a) => a.mul(-0.5),
  tanh: (_, a) => a.tanh(),
  sigmoid: (_, a) => a.sigmoid(),
  relu: (_, a) => a.add(beside()).relu(),
  softmax: (_, a) => a.softmax(1),
  'a view': (_, a) => a.reshape([COLUMNS, ROWS]).reshape([ROWS, COLUMNS]),
  transposed: (_, a) => a.transpose().tanh().transpose(),
  'a row, repeated': (_, a) =>
    a.slice(1, 2).add(tensor(new Float32Array(ROWS * COLUMNS)).reshape([ROWS, COLUMNS])),
  'rows and the rest': (_, a, b) => concat([a.slice(0, 1), b.slice(1)], 0),
  gathered: (_, a) => a.gather([2, 0, 2]),
  product: (_, a, b) => a.matmul(b.transpose()).mul(0.2).matmul(b).tanh(),
  mean: (_, a, b) => a.sub(b.mean(0)),
  detached: (_, a, b) => a.detach().add(b),
  'without a tape': (_, a, b) => b.add(noGrad(() => a.mul(2).tanh())),
  'an op that holds all': (held, a, b) => holdsAll(held)(a, b),
  'an op that passes g on': (held, a) => passesOn(held)(a),
};

const holdsAll = (held: Held) =>
  defineOp({
    name: 'holdsAll',
    forward: (a: Tensor, b: Tensor) => {
      const kept = held.hold('kept', a.mul(b));
      return { y: held.hold('y', kept.tanh()), kept };
    },
    backward: (g, { y }, a, b) => {
      held.hold('g', g);
      const slope = held.hold('slope', y.mul(y).neg().add(1).mul(g));
      return [() => held.hold('da', slope.mul(b)), () => held.hold('db', slope.mul(a))];
    },
  });

const passesOn = (held: Held) =>
  defineOp({
    name: 'passesOn',
    forward: (x: Tensor) => x,
    backward: (g) => [() => held.hold('g, passed on', g)],
  });

interface Program {
  readonly leaves: readonly { readonly seed: number; readonly wanted: boolean }[];
  readonly steps: readonly {
    readonly op: string;
    readonly a: number;
    readonly b: number;
    readonly held: boolean;
  }[];
  /** The values that are summed. */
  readonly ends: readonly number[];
  /** Whether backward() gets a seed. */
  readonly seeded: boolean;
}

const programs: fc.Arbitrary<Program> = fc.record({
  leaves: fc.array(fc.record({ seed: fc.nat(), wanted: fc.boolean() }), { minLength: 1, maxLength: 4 }),
  steps: fc.array(
    fc.record({ op: fc.constantFrom(...Object.keys(ops)), a: fc.nat(), b: fc.nat(), held: fc.boolean() }),
    { minLength: 1, maxLength: 14, size: 'max' },
  ),
  ends: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  seeded: fc.boolean(),
});

const drawn = (seed: number) => {
  const stream = seededStream(seed);
  return Float32Array.from({ length: ROWS * COLUMNS }, () => 2 * stream.uniform() - 1);
};

/** Computes the graph twice, accumulating gradients, and returns them after each time. */
function run({ leaves, steps, ends, seeded }: Program, held: Held): number[][] {
  const made = leaves.map(({ seed, wanted }, k) =>
    tensor(drawn(seed), { shape: [ROWS, COLUMNS], requiresGrad: wanted || k === 0 }),
  );
  const gradients: number[][] = [];
  for (let time = 0; time < 2; time++) {
    const all = [...made];
    for (const { op, a, b, held: looks } of steps) {
      const y = ops[op](held, all[a % all.length], all[b % all.length]);
      all.push(looks ? held.hold(op, y) : y);
    }
    // The first leaf is always included, so that there is a gradient.
    const y = ends.reduce(
      (sum: Tensor, end) => sum.add(all[all.length - 1 - (end % all.length)]),
      made[0].mul(0.1),
    );
    const seed = held.hold('seed', tensor(drawn(7)).reshape([ROWS, COLUMNS]));
    if (seeded) y.backward(seed);
    else y.mul(seed).sum().backward();
    held.check();
    for (const [k, leaf] of made.entries()) {
      if (leaf.grad === null) continue;
      gradients.push(values(time === 0 ? leaf.grad : held.hold(`gradient ${k}`, leaf.grad)));
      if (k % 2 === 1) leaf.grad = null; // the others add up
    }
  }
  for (const leaf of made) leaf.grad = null;
  held.check();
  return gradients;
}

it('gradients match those of the cpu, and held tensors stay unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      await useDevice('cpu');
      const expected = run(program, new Held());
      await useDevice('wasm');
      const found = run(program, new Held());
      expect(found.map((g) => g.length)).toEqual(expected.map((g) => g.length));
      found.forEach((g, k) => {
        const scale = 1 + Math.max(...expected[k].map(Math.abs));
        g.forEach((value, i) => expect(Math.abs(value - expected[k][i])).toBeLessThan(2e-5 * scale));
      });
    }),
    { numRuns: 300 },
  );
});
