/** Invalid arguments of the losses, and their error messages. */
import { describe, expect, it } from 'vitest';
import {
  crossEntropy,
  type CrossEntropyOptions,
  DTypeError,
  mse,
  ShapeError,
  tensor,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { refusal } from './helpers.ts';
import { f64, wide } from '../tensors.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

onDevices(() => {
  const logits = wide([[1, 2, 3], [4, 5, 6]]); // prettier-ignore

  describe('crossEntropy refuses', () => {
    it.each([3, -1, 0.5, NaN, Infinity, 255])('a label of %s, and names its row', (label) => {
      const message = `crossEntropy: label ${label} at row 1, with 3 classes. Hint: labels are integers from 0 to 2`;
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

    it.each([{ shape: [0, 3] }, { shape: [2, 0] }, { shape: [3] }, { shape: [2, 3, 1] }, { shape: [] }])(
      'logits of shape $shape',
      ({ shape }) => {
        const labels = Array<number>(shape[0] ?? 1).fill(0);
        for (const reduction of ['mean', 'sum', 'none'] as const) {
          const message = refusal(() => crossEntropy(zeros(shape), labels, { reduction }), ShapeError);
          expect(message).toContain(`crossEntropy: logits [${shape.join(', ')}]`);
        }
      },
    );

    it.each([-0.1, 1, NaN])('a smoothing of %s', (labelSmoothing) => {
      const message = refusal(() => crossEntropy(logits, [0, 1], { labelSmoothing }), ValueError);
      expect(message).toContain(`crossEntropy: labelSmoothing is ${labelSmoothing}`);
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

  describe('mse refuses', () => {
    it.each([
      [[2, 1], [2]],
      [[2], [2, 1]],
      [[3], [2]],
      [[], [1]],
      [[0], [0]],
    ])('a prediction of shape %j with a target of shape %j', (prediction, target) => {
      const message = refusal(() => mse(zeros(prediction), zeros(target)), ShapeError);
      expect(message).toContain(`prediction [${prediction.join(', ')}], target [${target.join(', ')}]`);
    });

    it('unknown options and reductions of mse', () => {
      const wrong: object = { reduction: 'average' };
      expect(refusal(() => mse(tensor([1]), tensor([1]), wrong), ValueError)).toContain("'average'");
      const unknown: object = { weight: 1 };
      expect(refusal(() => mse(tensor([1]), tensor([1]), unknown), ValueError)).toContain('weight');
    });
  });
});

inFloat64(() => {
  it('mse refuses element types that differ', () => {
    expect(refusal(() => mse(tensor([1]), f64([1])), DTypeError)).toContain('float32, float64');
  });
});
