/** Empty tensors in every method that accepts them, forward and backward. */
import { describe, expect, it } from 'vitest';
import { concat, type Tensor, zeros } from '../../src/index.ts';
import { values, widest } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(() => {
  const empty = (shape: number[]) => zeros(shape, { dtype: widest(), requiresGrad: true });

  type Case = [what: string, fn: (x: Tensor) => Tensor, shape: number[]];

  const keeping: Case[] = (
    [
      ['add', (x) => x.add(x)],
      ['add a number', (x) => x.add(1)],
      ['sub', (x) => x.sub(x)],
      ['mul', (x) => x.mul(x)],
      ['mul by a number', (x) => x.mul(2)],
      ['div', (x) => x.div(x)],
      ['maximum', (x) => x.maximum(0)],
      ['neg', (x) => x.neg()],
      ['pow', (x) => x.pow(2)],
      ['exp', (x) => x.exp()],
      ['log', (x) => x.log()],
      ['sqrt', (x) => x.sqrt()],
      ['abs', (x) => x.abs()],
      ['relu', (x) => x.relu()],
      ['leakyRelu', (x) => x.leakyRelu()],
      ['sigmoid', (x) => x.sigmoid()],
      ['tanh', (x) => x.tanh()],
      ['softmax', (x) => x.softmax(0)],
      ['softmax over the empty axis', (x) => x.softmax(1)],
      ['logSoftmax', (x) => x.logSoftmax(-1)],
      ['slice', (x) => x.slice(0)],
      ['detached and added', (x) => x.detach().add(x)],
    ] satisfies [string, (x: Tensor) => Tensor][]
  ).map(([what, fn]) => [what, fn, [2, 0, 3]]);

  const changing: Case[] = [
    ['reshape', (x) => x.reshape([0, 7]), [0, 7]],
    ['reshape with −1', (x) => x.reshape([-1]), [0]],
    ['flatten', (x) => x.flatten(), [0]],
    ['transpose', (x) => x.transpose(), [2, 3, 0]],
    ['slice of another axis', (x) => x.slice([1, 0, 1], [2]), [1, 0, 2]],
    ['gather', (x) => x.gather([1, 1, 0]), [3, 0, 3]],
    ['gather with no indices', (x) => x.gather([]), [0, 0, 3]],
    ['concat', (x) => concat([x, x], 0), [4, 0, 3]],
    ['concat along the empty axis', (x) => concat([x, x], 1), [2, 0, 3]],
    ['broadcasting', (x) => x.add(zeros([5, 1, 1, 3], { dtype: widest() })), [5, 2, 0, 3]],
    ['sum over another axis', (x) => x.sum(0), [0, 3]],
    ['sum over the empty axis', (x) => x.sum(1), [2, 3]],
    ['sum', (x) => x.sum(), []],
    ['max over another axis', (x) => x.max(2), [2, 0]],
  ];

  describe('tensors of shape [2, 0, 3]', () => {
    it.each([...keeping, ...changing])('%s', (_what, fn, shape) => {
      const x = empty([2, 0, 3]);
      const y = fn(x);
      expect(y.shape).toEqual(shape);
      expect(values(y).every((value) => value === 0)).toBe(true);
      y.sum().backward();
      expect(x.grad?.shape).toEqual([2, 0, 3]);
      expect(values(x.grad)).toEqual([]);
    });

    it('argmax over another axis', () => {
      expect(empty([2, 0, 3]).argmax(0).shape).toEqual([0, 3]);
    });
  });

  describe('matrix products', () => {
    it.each([
      [0, 3, 2],
      [2, 0, 3],
      [2, 3, 0],
      [0, 0, 0],
    ])('[%i, %i]·[%i columns]', (m, k, n) => {
      const [a, b] = [empty([m, k]), empty([k, n])];
      const y = a.matmul(b);
      expect(y.shape).toEqual([m, n]);
      expect(values(y)).toEqual(Array<number>(m * n).fill(0));
      y.sum().backward();
      expect([a.grad?.shape, b.grad?.shape]).toEqual([
        [m, k],
        [k, n],
      ]);
      expect([...values(a.grad), ...values(b.grad)].every((value) => value === 0)).toBe(true);
    });
  });

  it('reading returns empty arrays', async () => {
    const x = empty([2, 0]);
    expect(x.size).toBe(0);
    expect(x.toArray()).toEqual([[], []]);
    expect(await x.data()).toHaveLength(0);
  });
});
