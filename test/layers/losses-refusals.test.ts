/** Invalid arguments of the losses, and their error messages. */
import { describe, expect, it } from 'vitest';
import {
  bceWithLogits,
  crossEntropy,
  type CrossEntropyOptions,
  DTypeError,
  huber,
  mse,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { refusal } from './helpers.ts';
import { f64, wide } from '../tensors.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

/** Calls a function as plain JavaScript does. */
const call = (fn: object, ...args: readonly unknown[]): unknown =>
  Reflect.apply(fn as () => unknown, null, args);

/** The message of the error that `crossEntropy` throws for these labels. */
const wrongly = (
  z: Tensor,
  labels: unknown,
  kind: typeof ValueError | typeof ShapeError = ValueError,
): string => refusal(() => call(crossEntropy, z, labels), kind);

onDevices(({ dtype }) => {
  const logits = wide([[1, 2, 3], [4, 5, 6]]); // prettier-ignore

  describe('crossEntropy refuses', () => {
    it.each([3, -1, 0.5, NaN, Infinity, 255])('a label of %s, and names its row', (label) => {
      const others = label === 0.5 ? '; mse takes other numbers' : '';
      const message = `crossEntropy: label ${label} at row 1, with 3 classes. Hint: labels are integers from 0 to 2, or the ignoreIndex${others}`;
      expect(refusal(() => crossEntropy(logits, [0, label]), ValueError)).toBe(message);
      expect(refusal(() => crossEntropy(logits, wide([0, label])), ValueError)).toBe(message);
      expect(refusal(() => crossEntropy(logits, [0, label], { reduction: 'sum' }), ValueError)).toBe(message);
    });

    it('−100 if another label is ignored', () => {
      const action = () => crossEntropy(logits, [0, -100], { ignoreIndex: 1 });
      expect(refusal(action, ValueError)).toContain('label -100 at row 1');
    });

    it.each([[[0]], [[0, 1, 2]], [[]]])('a number of labels other than the number of rows: %j', (labels) => {
      const message = refusal(() => crossEntropy(logits, labels), ShapeError);
      expect(message).toContain(`${labels.length} labels for a batch of 2`);
    });

    it.each([{ shape: [2, 0] }, { shape: [3] }, { shape: [2, 3, 1] }, { shape: [] }])(
      'logits of shape $shape',
      ({ shape }) => {
        const labels = Array<number>(shape[0] ?? 1).fill(0);
        for (const reduction of ['mean', 'sum', 'none'] as const) {
          const message = refusal(() => crossEntropy(zeros(shape), labels, { reduction }), ShapeError);
          expect(message).toContain(`crossEntropy: logits [${shape.join(', ')}]`);
        }
      },
    );

    it.each([-0.1, 1.1, NaN])('a smoothing of %s', (labelSmoothing) => {
      const message = refusal(() => crossEntropy(logits, [0, 1], { labelSmoothing }), ValueError);
      expect(message).toContain(`crossEntropy: labelSmoothing is ${labelSmoothing}`);
    });

    it('labels of an output with one column, where another loss is right', () => {
      for (const label of [1, 1.7, -1]) {
        const message = refusal(() => crossEntropy(wide([[1], [2]]), [0, label]), ValueError);
        expect(message).toContain(
          'with 1 class. Hint: for one output per row, use bceWithLogits (yes or no) or mse',
        );
      }
    });

    it('a mean over no rows', () => {
      const message = refusal(() => crossEntropy(zeros([0, 3]), []), ShapeError);
      expect(message).toBe(
        "crossEntropy: logits [0, 3]. Hint: a mean needs at least one row: use reduction: 'sum' or 'none'",
      );
    });

    it('labels of other kinds, with hints that work', () => {
      const z = wide([[1, 2], [3, 4]]); // prettier-ignore
      const loss = crossEntropy(z, [0, 1]).item();
      const oneHot = [[1, 0], [0, 1]]; // prettier-ignore
      expect(crossEntropy(z, tensor(oneHot).argmax(1)).item()).toBe(loss);
      expect(wrongly(z, oneHot)).toContain('label an Array of 2 at row 0');
      expect(wrongly(z, oneHot)).toContain('not one-hot rows: pass tensor(labels).argmax(1)');
      expect(wrongly(z, wide(oneHot), ShapeError)).toContain('4 labels for a batch of 2');
      expect(wrongly(z, wide(oneHot), ShapeError)).toContain('for a one-hot tensor, labels.argmax(1)');
      for (const labels of [[0n, 1n], new BigInt64Array([0n, 1n]), ['0', '1'], '01', [false, true]]) {
        expect(wrongly(z, labels)).toMatch(/label (?:0n|'0' \(a string\)|false) at row 0/);
        expect(wrongly(z, labels)).toContain('pass Array.from(labels, Number)');
        expect(crossEntropy(z, Array.from<unknown, number>(labels, Number)).item()).toBe(loss);
      }
      for (const label of [null, undefined, {}, 'cat', NaN, Symbol('label')]) {
        expect(wrongly(z, [label, 1])).toMatch(
          /label .+ at row 0, with 2 classes\. Hint: labels are integers from 0 to 1, or the ignoreIndex$/,
        );
      }
      for (const labels of [undefined, null, 1, true, {}, new Set([0, 1]), () => [0, 1]]) {
        expect(wrongly(z, labels, ShapeError)).toContain('crossEntropy: labels is ');
      }
    });

    it.each([
      ['a number too few', [1, 2]],
      ['an array in place of a tensor', [[1, 2, 3]]],
      ['a single number', 2],
      ['null', null],
    ])('class weights: %s', (_, weight) => {
      const options: object = { weight };
      const message = refusal(() => crossEntropy(logits, [0, 1], options), ShapeError);
      expect(message).toContain('for 3 classes. Hint: give one number ≥ 0 for each class');
    });

    it.each([[-1], [NaN], [Infinity], ['1'], [null], [[1]], [1n]])('a class weight of %s', (wrong) => {
      const options: object = { weight: [1, wrong, 1] };
      expect(refusal(() => crossEntropy(logits, [0, 1], options), ValueError)).toContain('weight[1] is ');
    });

    it('logits that are no tensor, and options that are no object', () => {
      const wrong: [unknown, unknown?][] = [
        [[[1, 2, 3]]],
        [null],
        [undefined],
        [logits, 'sum'],
        [logits, null],
        [logits, [1]],
      ];
      for (const [z, options] of wrong) {
        const message = refusal(
          () => call(crossEntropy, z, [0, 1], ...(options === undefined ? [] : [options])),
          ValueError,
        );
        expect(message).toMatch(/^crossEntropy: (?:logits|options) is /);
      }
      const ignoring: object = { ignoreIndex: '1' };
      expect(refusal(() => crossEntropy(logits, [0, 1], ignoring), ValueError)).toContain(
        "ignoreIndex is '1'",
      );
    });

    it('unknown options and reductions', () => {
      const wrong: [object, string][] = [
        [{ reduction: 'average' }, "reduction is 'average'. Hint: use 'mean', 'sum' or 'none'"],
        [{ smoothing: 0.1 }, 'unknown option: smoothing'],
      ];
      for (const [options, problem] of wrong) {
        const action = (o: CrossEntropyOptions) => crossEntropy(logits, [0, 1], o);
        expect(refusal(() => action(options), ValueError)).toContain(problem);
      }
    });
  });

  describe.each([
    ['mse', mse],
    ['huber', huber],
    ['bceWithLogits', bceWithLogits],
  ])('%s refuses', (name, loss) => {
    it.each([
      [[2, 1], [2]],
      [[2], [2, 1]],
      [[3], [2]],
      [[], [1]],
    ])('a prediction of shape %j with a target of shape %j', (prediction, target) => {
      const message = refusal(() => loss(zeros(prediction), zeros(target)), ShapeError);
      expect(message).toContain(
        `${name}: prediction [${prediction.join(', ')}], target [${target.join(', ')}]`,
      );
    });

    it('a mean over no values', () => {
      const message = refusal(() => loss(zeros([0, 2]), []), ShapeError);
      expect(message).toBe(
        `${name}: no values: shape [0, 2]. Hint: a mean needs at least one value: use reduction: 'sum' or 'none'`,
      );
    });

    it('arrays that do not fit', () => {
      const prediction = zeros([2, 3], { dtype });
      const ragged: unknown = [[1, 1, 1], [1, 1]]; // prettier-ignore
      const transposed = [[1, 1], [1, 1], [1, 1]]; // prettier-ignore
      const circular: unknown[] = [[1, 1, 1]];
      circular.push(circular);
      const wrong = [[1], transposed, [[[1, 1, 1], [1, 1, 1]]], null, undefined, 1, true, {}, []]; // prettier-ignore
      for (const target of wrong) {
        const message = refusal(() => call(loss, prediction, target), ShapeError);
        expect(message).toContain(`${name}: prediction [2, 3], target `);
      }
      for (const target of [ragged, circular]) {
        const message = refusal(() => call(loss, prediction, target), ShapeError);
        expect(message).toContain(`${name}: ragged nesting`);
      }
    });

    it.each([[NaN], [Infinity], ['1'], [null], [true], [1n], [[1]], [undefined]])(
      'a target of %s',
      (wrong) => {
        const message = refusal(() => call(loss, zeros([3], { dtype }), [0, 1, wrong]), ValueError);
        expect(message).toContain(`${name}: target[2] is `);
      },
    );

    it('a prediction that is no tensor, and options that are no object', () => {
      for (const prediction of [[1], null, undefined, 1]) {
        const message = refusal(() => call(loss, prediction, [1]), ValueError);
        expect(message).toContain(`${name}: prediction is `);
      }
      for (const options of [null, 'sum', 1, [], ['sum']]) {
        const message = refusal(() => call(loss, zeros([1], { dtype }), [1], options), ValueError);
        expect(message).toContain(`${name}: options is `);
      }
    });

    it('unknown options and reductions', () => {
      const wrong: object = { reduction: 'average' };
      expect(refusal(() => loss(tensor([1]), [1], wrong), ValueError)).toContain("'average'");
      const unknown: object = { sample: 1 };
      expect(refusal(() => loss(tensor([1]), [1], unknown), ValueError)).toContain('unknown option: sample');
    });
  });

  it.each([-1, 0, NaN, Infinity, '1', null])('huber refuses a delta of %s', (delta) => {
    const options: object = { delta };
    expect(refusal(() => huber(wide([1]), [1], options), ValueError)).toContain('huber: delta is ');
  });

  it.each([-0.1, 1.5, 2])('bceWithLogits refuses a target of %s', (y) => {
    const message = `bceWithLogits: target[1] is ${y}. Hint: a finite number ≥ 0 and ≤ 1 is expected`;
    expect(refusal(() => bceWithLogits(wide([1, 2]), [0, y]), ValueError)).toBe(message);
    expect(refusal(() => bceWithLogits(wide([1, 2]), [[0], [y]].flat()), ValueError)).toBe(message);
    expect(refusal(() => bceWithLogits(wide([1, 2]), wide([0, y])), ValueError)).toMatch(/target\[1\] is /);
  });

  it.each(['weight', 'posWeight'])(
    'bceWithLogits refuses a %s that is negative or of another shape',
    (name) => {
      const z = zeros([2, 1], { dtype });
      const refused = (wrong: unknown, kind: typeof ValueError | typeof ShapeError) =>
        refusal(() => call(bceWithLogits, z, [0, 1], { [name]: wrong }), kind);
      for (const wrong of [-1, [-1], wide([-1]), NaN, new Float32Array([1, -1])])
        expect(refused(wrong, ValueError)).toContain(`bceWithLogits: ${name}[`);
      for (const wrong of ['1', null, [null], [1n], true, {}])
        expect(refused(wrong, ValueError)).toContain('bceWithLogits: not a number: ');
      for (const wrong of [[1, 2], wide([1, 2]), [[1, 2]], [1, 2, 3]])
        expect(refused(wrong, ShapeError)).toMatch(/shape/);
    },
  );
});

inFloat64(() => {
  it('mse refuses element types that differ', () => {
    expect(refusal(() => mse(tensor([1]), f64([1])), DTypeError)).toContain('float32, float64');
  });
});
