/** The gradient checker itself. */
import { describe, expect, it } from 'vitest';
import {
  DTypeError,
  gradcheck,
  GradientError,
  GraphError,
  type Tensor,
  tensor,
  ValueError,
} from '../../src/index.ts';
import { drawn } from './draw.ts';
import { f64, leaf, values } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { inFloat64 } from '../on-devices.ts';

inFloat64(() => {
  const square = (x: Tensor) => x.mul(x);

  describe('gradcheck', () => {
    it('accepts correct gradients', () => {
      expect(gradcheck(square, [drawn([3, 2], 1)])).toBe(true);
      expect(gradcheck((x) => x.exp().sum(), [drawn([100], 1)])).toBe(true);
    });

    it('leaves the inputs and their gradients unchanged', () => {
      const x = leaf([1, 2]);
      x.sum().backward();
      gradcheck(square, [x]);
      expect(values(x)).toEqual([1, 2]);
      expect(values(x.grad)).toEqual([1, 1]);
    });

    it('checks only inputs that require a gradient', () => {
      const constant = f64([0, 0]); // at ReLU's kink
      expect(gradcheck((x, c) => x.mul(c.relu().add(1)), [leaf([1, 2]), constant])).toBe(true);
      expectError(
        () => gradcheck((x) => x.relu(), [leaf([0, 0])]),
        GradientError,
        /at a kink of the function/,
      );
    });

    it('calls the function once, and twice more per checked input', () => {
      let calls = 0;
      const counted = (a: Tensor, b: Tensor, c: Tensor) => {
        calls++;
        return a.mul(b).mul(c);
      };
      gradcheck(counted, [drawn([50], 1), drawn([50], 2).detach(), drawn([50], 3)]);
      expect(calls).toBe(1 + 2 * 2);
    });

    it('respects its tolerances', () => {
      const off = (x: Tensor) => x.mul(x).add(x.detach().mul(1e-3)); // its gradient lacks the term 1e-3
      const x = leaf([1, 2, 3]);
      expectError(() => gradcheck(off, [x]), GradientError, /wrong gradient of input 0/);
      expect(gradcheck(off, [x], { rtol: 1e-2 })).toBe(true);
      expect(gradcheck(off, [x], { atol: 1e-1 })).toBe(true);
      expectError(() => gradcheck(off, [x], { rtol: 0, atol: 0 }), GradientError, /wrong gradient/);
    });

    it('draws its random directions from its own seed', () => {
      const message = (seed: number) => {
        try {
          gradcheck((x) => x.detach().mul(2).add(x), [leaf([1, 2, 3])], { seed });
        } catch (error) {
          return String(error);
        }
        return 'accepted';
      };
      expect(message(1)).toBe(message(1));
      expect(message(1)).not.toBe(message(2));
    });
  });

  describe('gradcheck refuses', () => {
    it('float32, where rounding hides the differences', () => {
      const x = tensor([1], { requiresGrad: true });
      expectError(() => gradcheck(square, [x]), DTypeError, /gradcheck: an input is float32/);
      expectError(
        () => gradcheck(square, [leaf([1]), tensor([1])]),
        DTypeError,
        /gradcheck: an input is float32/,
      );
    });

    it('inputs that require no gradient', () => {
      expectError(() => gradcheck(square, [f64([1])]), GraphError, /no input requires a gradient/);
      expectError(() => gradcheck(() => f64([1]), []), GraphError, /no input requires a gradient/);
    });

    it('a result that does not depend on its inputs', () => {
      expectError(() => gradcheck((x) => x.detach(), [leaf([1])]), GraphError, /requires no gradient/);
    });

    it('options that are not numbers, out of range, or unknown', () => {
      const check = (options: object) => () => gradcheck(square, [leaf([1])], options);
      expectError(check({ eps: 0 }), ValueError, /gradcheck: eps is 0/);
      expectError(check({ eps: NaN }), ValueError, /gradcheck: eps is NaN/);
      expectError(check({ rtol: -1 }), ValueError, /gradcheck: rtol is -1/);
      expectError(check({ atol: -1 }), ValueError, /gradcheck: atol is -1/);
      expectError(check({ seed: 0.5 }), ValueError, /gradcheck: seed is 0\.5/);
      expectError(check({ tolerance: 1 }), ValueError, /gradcheck: unknown option: tolerance/);
    });
  });
});
