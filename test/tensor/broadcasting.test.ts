/** Broadcasting, as in NumPy. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError, ValueError } from '../../src/index.ts';
import { awayFromZero, broadcastable, broadcastAt, drawn, indices, seeds } from './draw.ts';
import { wide, leaf, values } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { onDevices } from '../on-devices.ts';

onDevices((on) => {
  /** A single operation in float64, rounded to float32, equals the operation in float32. */
  const round = on.dtype === 'float32' ? Math.fround : (value: number) => value;

  type Method = 'add' | 'sub' | 'mul' | 'div' | 'maximum';

  const formulas: Record<Method, (a: number, b: number) => number> = {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => a / b,
    maximum: (a, b) => (a > b ? a : b),
  };
  const methods = Object.entries(formulas) as [Method, (a: number, b: number) => number][];

  describe.each(methods)('%s', (method, formula) => {
    it('combines the elements of the broadcast operands', () => {
      fc.assert(
        fc.property(broadcastable, seeds, (shapes, seed) => {
          const [a, b] = [drawn(shapes.a, seed), drawn(shapes.b, seed + 1, awayFromZero)];
          const y = a[method](b);
          expect(y.shape).toEqual(shapes.y);
          for (const index of indices(y.shape)) {
            expect(broadcastAt(y, index)).toBe(round(formula(broadcastAt(a, index), broadcastAt(b, index))));
          }
        }),
      );
    });

    it('accepts a number as the second operand', () => {
      const x = wide([
        [1, -2],
        [0.5, 4],
      ]);
      expect(values(x[method](2))).toEqual(values(x).map((value) => formula(value, 2)));
    });

    it('refuses shapes that do not broadcast; the message names both, the extents and the axis', () => {
      const refuse = (a: number[], b: number[], what: RegExp) =>
        expectError(() => drawn(a, 1)[method](drawn(b, 2)), ShapeError, what);
      const start = `^${method}: shapes `;
      refuse([2, 3], [2], new RegExp(`${start}\\[2, 3\\] and \\[2\\] do not broadcast: 3 and 2 at axis -1`));
      refuse(
        [2, 3],
        [4, 3],
        new RegExp(`${start}\\[2, 3\\] and \\[4, 3\\] do not broadcast: 2 and 4 at axis -2`),
      );
      refuse(
        [3],
        [2, 1, 4],
        new RegExp(`${start}\\[3\\] and \\[2, 1, 4\\] do not broadcast: 3 and 4 at axis -1`),
      );
      refuse([0], [2], new RegExp(`${start}\\[0\\] and \\[2\\] do not broadcast: 0 and 2`));
    });
  });

  it('an extent of 1 broadcasts to an extent of 0', () => {
    const y = wide([[1], [2]]).add(wide([]));
    expect(y.shape).toEqual([2, 0]);
    const x = leaf([[1], [2]]);
    x.add(wide([])).sum().backward();
    expect(values(x.grad)).toEqual([0, 0]);
  });

  it('gradients are summed over added axes and over axes of extent 1', () => {
    const [row, column, scalar] = [leaf([1, 2, 3]), leaf([[1], [2]]), leaf(5)];
    row.add(column).add(scalar).sum().backward();
    expect([row.grad?.shape, values(row.grad)]).toEqual([[3], [2, 2, 2]]);
    expect([column.grad?.shape, values(column.grad)]).toEqual([
      [2, 1],
      [3, 3],
    ]);
    expect([scalar.grad?.shape, values(scalar.grad)]).toEqual([[], [6]]);
  });

  it('maximum splits the gradient in half at a tie', () => {
    const [a, b] = [leaf([1, 2, 3]), leaf([3, 2, 1])];
    a.maximum(b).sum().backward();
    expect(values(a.grad)).toEqual([0, 0.5, 1]);
    expect(values(b.grad)).toEqual([1, 0.5, 0]);
  });

  it('powers and slopes must be finite', () => {
    for (const wrong of [NaN, Infinity, -Infinity]) {
      expectError(() => wide([1]).pow(wrong), ValueError, new RegExp(`^pow: power is ${wrong}`));
      expectError(() => wide([1]).leakyRelu(wrong), ValueError, new RegExp(`^leakyRelu: slope is ${wrong}`));
    }
  });
});
