/** What callers from JavaScript pass by mistake, or from habit with other libraries: taken where it is safe, or refused. */
import { describe, expect, it } from 'vitest';
import {
  arange,
  concat,
  defineOp,
  DeviceError,
  DTypeError,
  eye,
  full,
  GammaBetaError,
  gradcheck,
  manualSeed,
  noGrad,
  ones,
  randn,
  scope,
  ShapeError,
  Tensor,
  tensor,
  uniform,
  useDevice,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { onDevices } from '../on-devices.ts';
import { expectError, expectRejection } from './expect-error.ts';

type ErrorClass = abstract new (...args: never[]) => GammaBetaError;

/** A function without its types, as JavaScript calls it. */
const js = (fn: unknown) => fn as (...args: unknown[]) => unknown;
/** A tensor without its types. */
const loose = (x: Tensor) => Object(x) as Record<string, (...args: unknown[]) => unknown>;

const x = () => loose(tensor([[1, 2]]));
const cube = () => loose(ones([2, 3, 4]));

const refusals: Record<string, [call: () => unknown, kind: ErrorClass, message: RegExp]> = {
  // operands and numbers
  "x.mul('2')": [() => x().mul('2'), ValueError, /^mul: not a number: '2' \(a string\)\. Hint: convert/],
  'x.add(null)': [() => x().add(null), ValueError, /^add: not a number: null/],
  'x.add()': [() => x().add(), ValueError, /^add: not a number: undefined/],
  'x.sub(true)': [() => x().sub(true), ValueError, /^sub: not a number: true/],
  "x.div([1, '2'])": [() => x().div([1, '2']), ValueError, /^div: not a number: '2'/],
  'x.maximum({})': [() => x().maximum({}), ValueError, /^maximum: not a number: an Object/],
  'x.add([[1], [2, 3]])': [() => x().add([[1], [2, 3]]), ShapeError, /^add: ragged nesting/],
  'x.add([1, 2, 3])': [
    () => x().add([1, 2, 3]),
    ShapeError,
    /^add: shapes \[1, 2\] and \[3\] do not broadcast/,
  ],
  'x.matmul(2)': [() => x().matmul(2), ShapeError, /^matmul: /],
  'x.matmul(a, false)': [() => x().matmul([[1], [2]], false), ValueError, /^matmul: too many arguments: 2,/],
  "x.pow('2')": [() => x().pow('2'), ValueError, /^pow: power is '2' \(a string\)/],
  'x.pow(x)': [() => x().pow(x()), ValueError, /^pow: power is a tensor of shape \[1, 2\]/],
  'x.leakyRelu(null)': [() => x().leakyRelu(null), ValueError, /^leakyRelu: slope is null/],
  // axes and shapes
  'x.transpose([1, 0, 2])': [
    () => cube().transpose([1, 0, 2]),
    ValueError,
    /^transpose: too many arguments: 1, /,
  ],
  'x.reshape(2, 1)': [
    () => x().reshape(2, 1),
    ValueError,
    /^reshape: too many arguments: 2, .* as in reshape\(\[2, -1\]\)/,
  ],
  'x.reshape(2)': [() => x().reshape(2), ShapeError, /^reshape: not a shape: 2\. Hint: an array of integers/],
  "x.reshape(['2', 1])": [() => x().reshape(['2', 1]), ShapeError, /^reshape: not a shape: \[2, 1\]/],
  'x.reshape()': [() => x().reshape(), ShapeError, /^reshape: not a shape: undefined/],
  'x.flatten(1)': [() => cube().flatten(1), ValueError, /^flatten: too many arguments: 1, .* use reshape/],
  'x.softmax()': [() => x().softmax(), ShapeError, /^softmax: no axis undefined in shape/],
  "x.softmax('0')": [() => x().softmax('0'), ShapeError, /^softmax: no axis '0' in shape/],
  'x.sum(null)': [() => x().sum(null), ShapeError, /^sum: no axis null/],
  "x.sum(['0'])": [() => x().sum(['0']), ShapeError, /^sum: no axis '0'/],
  'x.sum(0, { keepDims: true })': [
    () => x().sum(0, { keepDims: true }),
    ValueError,
    /^sum: keepDims is an Object/,
  ],
  'x.mean(0, 1)': [() => x().mean(0, 1), ValueError, /^mean: keepDims is 1\. Hint: use true or false/],
  "x.max(0, 'true')": [() => x().max(0, 'true'), ValueError, /^max: keepDims is 'true'/],
  'x.variance(0, true)': [
    () => x().variance(0, true),
    ValueError,
    /^variance: options is true\. .*unbiased: value/,
  ],
  'x.variance(0, 1)': [() => x().variance(0, 1), ValueError, /^variance: options is 1\./],
  'x.variance(0, { unbiased: 1 })': [
    () => x().variance(0, { unbiased: 1 }),
    ValueError,
    /^variance: unbiased is 1/,
  ],
  'x.argmax(1, true)': [() => x().argmax(1, true), ValueError, /^argmax: too many arguments: 2,/],
  'x.argmax()': [() => x().argmax(), ShapeError, /^argmax: no axis undefined/],
  // indices
  "x.slice('0')": [() => x().slice('0'), ShapeError, /^slice: index '0' \(a string\) is outside/],
  'x.slice(null, 1)': [() => x().slice(null, 1), ShapeError, /^slice: index null is outside/],
  'x.slice(0, 1, 2)': [() => x().slice(0, 1, 2), ValueError, /^slice: too many arguments: 3, .* no step/],
  'x.slice(tensor([0]))': [
    () => x().slice(tensor([0])),
    ShapeError,
    /^slice: index a tensor of .* gather takes/,
  ],
  'x.gather(0)': [() => x().gather(0), ValueError, /^gather: rows is 0\. Hint: pass an array of indices/],
  "x.gather('0')": [() => x().gather('0'), ValueError, /^gather: rows is '0'/],
  'x.gather(null)': [() => x().gather(null), ValueError, /^gather: rows is null/],
  "x.gather(['0'])": [() => x().gather(['0']), ValueError, /^gather: index '0' \(a string\) into shape/],
  'x.gather([0n])': [() => x().gather([0n]), ValueError, /^gather: index 0n into shape/],
  'x.gather(0, [0])': [() => x().gather(0, [0]), ValueError, /^gather: too many arguments: 2, /],
  'x.gather(tensor([0.5]))': [() => x().gather(tensor([0.5])), ValueError, /^gather: index 0\.5 into shape/],
  'x.gather(tensor([[0]]))': [
    () => x().gather(tensor([[0]])),
    ShapeError,
    /^gather: a tensor of indices has shape/,
  ],
  // gradients
  'y.backward([1, 1])': [
    () => loose(tensor([1, 2], { requiresGrad: true }).mul(2)).backward([1, 1]),
    ValueError,
    /^backward: g is an Array of 2\. Hint: a tensor is expected: tensor\(values\) makes one/,
  ],
  'y.backward(null)': [() => x().backward(null), ValueError, /^backward: g is null/],
  'y.backward(undefined, true)': [
    () => x().backward(undefined, true),
    ValueError,
    /^backward: too many arguments: 2,/,
  ],
  'x.grad = 1': [() => Object.assign(tensor(1), { grad: 1 }), ValueError, /^grad: grad is 1\./],
  'x.grad = undefined': [
    () => Object.assign(tensor(1), { grad: undefined }),
    ValueError,
    /^grad: grad is undefined/,
  ],
  'noGrad(x)': [() => js(noGrad)(tensor(1)), ValueError, /^noGrad: fn is a tensor of shape/],
  'scope()': [() => js(scope)(), ValueError, /^scope: fn is undefined\. Hint: a function is expected/],
  'gradcheck(x)': [() => js(gradcheck)(tensor(1)), ValueError, /^gradcheck: fn is a tensor/],
  'gradcheck(f, x)': [
    () => js(gradcheck)(Math.abs, tensor(1)),
    ValueError,
    /^gradcheck: inputs is a tensor of/,
  ],
  'gradcheck(f, [1])': [() => js(gradcheck)(Math.abs, [1]), ValueError, /^gradcheck: inputs\[0\] is 1\./],
  'gradcheck(f, [], 1e-6)': [
    () => js(gradcheck)(Math.abs, [], 1e-6),
    ValueError,
    /^gradcheck: options is 0\.000001/,
  ],
  // tensors
  'tensor()': [() => js(tensor)(), ValueError, /^tensor: not a number: undefined\. Hint: pass numbers/],
  "tensor(['1'])": [
    () => js(tensor)(['1']),
    ValueError,
    /^tensor: not a number: '1' \(a string\)\. Hint: convert/,
  ],
  'tensor(tensor(1))': [
    () => js(tensor)(tensor(1)),
    ValueError,
    /^tensor: .* await t\.data\(\) reads a tensor/,
  ],
  'tensor([tensor(1)])': [
    () => js(tensor)([tensor(1)]),
    ValueError,
    /^tensor: not a number: a tensor of shape \[\]/,
  ],
  'tensor(v, [2, 1])': [
    () => js(tensor)([1, 2], [2, 1]),
    ValueError,
    /^tensor: options is an Array of 2\. Hint: pass options by name, as in \{ shape: value \}; known options: shape, dtype/,
  ],
  'tensor(v, null)': [() => js(tensor)([1], null), ValueError, /^tensor: options is null/],
  'tensor([Float32Array, longer])': [
    () => tensor([new Float32Array(1), new Float32Array(2)]),
    ShapeError,
    /^tensor: ragged nesting: an array of 2 where an array of 1 was expected/,
  ],
  'ones([2], true)': [() => js(ones)([2], true), ValueError, /^ones: options is true\. .*\{ dtype: value \}/],
  'ones(2, 3)': [() => js(ones)(2, 3), ShapeError, /^ones: not a shape: 2\. Hint: an array/],
  "zeros([2], 'float64')": [() => js(zeros)([2], 'float64'), ValueError, /^zeros: options is 'float64'/],
  'zeros({ shape: [2] })': [() => js(zeros)({ shape: [2] }), ShapeError, /^zeros: not a shape: an Object/],
  'full([2])': [() => js(full)([2]), ValueError, /^full: value is undefined\. Hint: a number is expected/],
  "full([2], '1')": [() => js(full)([2], '1'), ValueError, /^full: value is '1' \(a string\)/],
  'randn(2, 3)': [() => js(randn)(2, 3), ShapeError, /^randn: not a shape: 2/],
  "uniform([1], '0')": [() => js(uniform)([1], '0'), ValueError, /^uniform: low is '0' \(a string\)/],
  'uniform([1], null)': [() => js(uniform)([1], null), ValueError, /^uniform: low is null/],
  'eye(2, 3)': [() => js(eye)(2, 3), ValueError, /^eye: options is 3/],
  "eye('2')": [() => js(eye)('2'), ValueError, /^eye: n is '2' \(a string\)/],
  'eye(70000)': [() => eye(70_000), ShapeError, /^eye: 4900000000 elements in shape/],
  'arange(0, null)': [() => js(arange)(0, null), ValueError, /^arange: stop is null/],
  'arange(5n)': [() => js(arange)(5n), ValueError, /^arange: stop is 5n/],
  'zeros(…, { requiresGrad: 1 })': [
    () => js(zeros)([1], { requiresGrad: 1 }),
    ValueError,
    /^zeros: requiresGrad is 1/,
  ],
  'zeros(…, { dtype: null })': [
    () => js(zeros)([1], { dtype: null }),
    DTypeError,
    /^zeros: dtype is null\. Hint: use/,
  ],
  'zeros(…, { dtype: Float32Array })': [
    () => js(zeros)([1], { dtype: Float32Array }),
    DTypeError,
    /^zeros: dtype is the function Float32Array\. Hint: use float32/,
  ],
  'concat(x, x)': [
    () => js(concat)(tensor([1]), tensor([1])),
    ValueError,
    /^concat: tensors is a tensor of shape/,
  ],
  'concat([1, 2], 0)': [() => js(concat)([1, 2], 0), ValueError, /^concat: tensors\[0\] is 1\./],
  'concat([x])': [() => js(concat)([tensor([1])]), ShapeError, /^concat: no axis undefined/],
  "manualSeed('7')": [() => js(manualSeed)('7'), ValueError, /^manualSeed: seed is '7' \(a string\)/],
};

it('tensors are not made by new', () => {
  const made = () => Reflect.construct(Tensor, [[1, 2]]) as unknown;
  expectError(made, GammaBetaError, /^Tensor: new Tensor\(\)\. Hint: use tensor\(values\)$/);
});

it('toArray takes the number of axes', () => {
  const rows: number[][] = tensor([[1, 2]]).toArray(2);
  const numbers: number[] = tensor([1, 2]).toArray(1);
  const number: number = tensor(5).toArray(0);
  expect([rows, numbers, number]).toEqual([[[1, 2]], [1, 2], 5]);
  expectError(() => tensor([1, 2]).toArray(2), ShapeError, /^toArray: rank is 2, but the shape is \[2\]/);
  expectError(() => x().toArray('2'), ShapeError, /^toArray: rank is '2' \(a string\)/);
});

onDevices(({ device }) => {
  describe('refused:', () => {
    it.each(Object.entries(refusals))('%s', (_name, [call, kind, message]) => {
      expectError(call, kind, message);
    });
  });

  describe('taken:', () => {
    it('nested and typed arrays as operands, on the device and of the element type of the tensor', () => {
      const a = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device, dtype: device === 'cpu' ? 'float64' : 'float32' },
      );
      expect(a.add([10, 20]).toArray()).toEqual([
        [11, 22],
        [13, 24],
      ]);
      expect(a.mul([[2], [0]]).toArray()).toEqual([
        [2, 4],
        [0, 0],
      ]);
      expect(a.sub(new Float32Array([1, 2])).toArray()).toEqual([
        [0, 0],
        [2, 2],
      ]);
      expect(
        a
          .div([2, 4])
          .maximum([[1]])
          .toArray(),
      ).toEqual([
        [1, 1],
        [1.5, 1],
      ]);
      expect(a.matmul([[1], [1]]).toArray()).toEqual([[3], [7]]);
      const y = a.add([10, 20]);
      expect([y.device, y.dtype]).toEqual([a.device, a.dtype]);
    });

    it('an array operand in a gradient: it is a constant', () => {
      const w = tensor([1, 2], { requiresGrad: true });
      w.mul([3, 4]).sum().backward();
      expect(w.grad?.toArray()).toEqual([3, 4]);
    });

    it('arrays of typed arrays, as rows', () => {
      const rows = [new Float32Array([1, 2]), new Float32Array([3, 4])];
      expect(tensor(rows).toArray()).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(tensor(rows, { shape: [4] }).shape).toEqual([4]);
    });

    it('a tensor of indices, by gather', () => {
      const a = tensor([
        [1, 2],
        [3, 4],
      ]);
      expect(a.gather(tensor([1, 0, 1])).toArray()).toEqual([
        [3, 4],
        [1, 2],
        [3, 4],
      ]);
      expect(a.gather(a.argmax(0)).toArray()).toEqual([
        [3, 4],
        [3, 4],
      ]);
    });

    it('undefined for an argument that may be left out', () => {
      const a = tensor([
        [1, 2],
        [3, 4],
      ]);
      expect(a.slice([0, 1], undefined).toArray()).toEqual([[2], [4]]);
      expect(a.sum(undefined, undefined).item()).toBe(10);
      expect(arange(2, undefined).toArray()).toEqual([0, 1]);
    });
  });
});

describe('useDevice refuses', () => {
  it.each([null, undefined, 5, {}, Symbol('cpu'), ['cpu']])('a name that is no string: %s', async (name) => {
    await expectRejection(
      js(useDevice)(name) as Promise<unknown>,
      ValueError,
      /^useDevice: unknown device: /,
    );
  });
});

describe('the option device', () => {
  it('is the name of a device', () => {
    for (const device of ['cpu', 'wasm'] as const) {
      const made = [
        tensor(1, { device }),
        zeros([1], { device }),
        randn([1], { device }),
        eye(1, { device }),
      ];
      for (const t of made) expect(t.device).toBe(device);
      expect(
        tensor([1, 2], { device: tensor([1], { device }).device })
          .sum()
          .item(),
      ).toBe(3);
    }
    expect(
      tensor(1, { device: 'cpu' })
        .add(tensor(2, { device: 'cpu' }))
        .item(),
    ).toBe(3);
    expect(tensor(1, { device: 'cpu', dtype: 'float64' }).dtype).toBe('float64');
  });

  it('does not open a GPU', () => {
    const message = /^ones: the device 'webgpu' is not open\. Hint: await useDevice\('webgpu'\) opens it/;
    expectError(() => ones([1], { device: 'webgpu' }), DeviceError, message);
  });

  it.each(['gpu', 5, null, [], tensor(1)])('is not %s', (device) => {
    expectError(
      () => js(ones)([1], { device }),
      ValueError,
      /^ones: device is .* use 'cpu', 'wasm', 'webgl' or 'webgpu'/,
    );
  });
});

describe('an op of a user', () => {
  const twice = {
    name: 'twice',
    forward: (a: Tensor) => a.mul(2),
    backward: (g: Tensor) => [() => g.mul(2)],
  };
  const op = (change: object) => js(js(defineOp)({ ...twice, ...change }));

  it('is declared by a name and two functions', () => {
    expectError(() => js(defineOp)(twice.forward), ValueError, /^defineOp: options is the function forward/);
    expectError(() => op({ name: 1 }), ValueError, /^defineOp: name is 1\./);
    expectError(() => op({ forward: undefined }), ValueError, /^defineOp: forward is undefined/);
    expectError(() => op({ backward: null }), ValueError, /^defineOp: backward is null/);
    expectError(() => op({ vjp: () => [] }), ValueError, /^defineOp: unknown option: vjp/);
  });

  it('needs a tensor among its arguments, since it gives gradients to tensors only', () => {
    expectError(() => op({})([1, 2]), ValueError, /^twice: no tensor among the arguments: an Array of 2/);
    expectError(
      () => op({})([tensor(1)]),
      ValueError,
      /^twice: no tensor among the arguments: an Array of 1/,
    );
  });

  it('returns a tensor, alone or as y', () => {
    for (const [result, is] of [
      [undefined, 'undefined'],
      [[1], 'an Array of 1'],
      [{ y: 2 }, '2'],
      [null, 'null'],
    ] as const) {
      const message = new RegExp(`^twice: the result of forward is ${is}\\.`);
      expectError(() => op({ forward: () => result })(tensor(1)), ValueError, message);
    }
    const later = op({ forward: (a: Tensor) => Promise.resolve(a) });
    expectError(() => later(tensor(1)), ValueError, /^twice: the result of forward is a Promise/);
    const kept = op({ forward: (a: Tensor) => ({ y: a.mul(2), more: 1 }) });
    expect((kept(tensor(1)) as Tensor).item()).toBe(2);
  });

  it('returns functions that return tensors, from its backward pass', () => {
    const backward = (result: unknown) => () =>
      (op({ backward: () => result })(tensor(1, { requiresGrad: true })) as Tensor).backward();
    expectError(
      backward(tensor(1)),
      ValueError,
      /^twice: the result of backward is a tensor of .* array of functions/,
    );
    expectError(backward(undefined), ValueError, /^twice: the result of backward is undefined/);
    expectError(backward([tensor(1)]), ValueError, /^twice: thunk 0 of backward is a tensor/);
    expectError(backward([() => 1]), ValueError, /^twice: the gradient of input 0 is 1\./);
  });

  it('is checked by gradcheck only if it returns a tensor', () => {
    const inputs = [tensor(1, { device: 'cpu', dtype: 'float64', requiresGrad: true })];
    const message = /^gradcheck: the result of fn is 5\./;
    expectError(() => js(gradcheck)(() => 5, inputs), ValueError, message);
  });
});
