/** Tests of the laws: planted faults in kernels are caught. */
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import type { Kernel } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Storage } from '../../src/tensor/device/device.ts';
import {
  devices,
  devicesAgree,
  fillsItsOutput,
  inPlaceIsTheSame,
  isDeterministic,
  shapeRuleHolds,
} from '../laws/kernel-laws.ts';
import type { KernelCase } from '../laws/kernel-laws.ts';
import { cases } from './cases/index.ts';

const [float64, float32] = devices;

/** The case of a kernel with a changed kernel. */
function planted(name: keyof typeof cases, changes: Partial<Kernel>): KernelCase {
  return { ...cases[name], kernel: { ...cases[name].kernel, ...changes } };
}

describe('devicesAgree refuses', () => {
  it.each<[what: string, wrong: KernelCase]>([
    [
      'a tail that is skipped',
      planted('add', {
        reference: (y, [a, b], [n]) => {
          for (let i = 0; i < n - (n % 4); i++) y[i] = a[i] + b[i];
        },
      }),
    ],
    [
      'a loop that stops after 1,000',
      planted('matmul', {
        reference: (y, inputs, [m, k, n]) => {
          if (k <= 1000) kernels.matmul.reference(y, inputs, [m, k, n], {});
        },
      }),
    ],
    [
      'an operand that is transposed',
      planted('matmulTransposedA', {
        reference: (y, inputs, sizes) => kernels.matmul.reference(y, inputs, sizes, {}),
      }),
    ],
    [
      'a variance in one pass',
      planted('colVariance', {
        reference: (y, [x], [m, C]) => {
          for (let c = 0; c < C; c++) {
            let [sum, squares] = [0, 0];
            for (let i = 0; i < m; i++) {
              sum += x[i * C + c];
              squares += x[i * C + c] ** 2;
            }
            y[c] = squares / m - (sum / m) ** 2;
          }
        },
      }),
    ],
    [
      'an axis that is mistaken for the last one',
      planted('softmax', {
        sizes: ([x]) => [x.slice(0, -1).reduce((size, extent) => size * extent, 1), x[x.length - 1], 1],
      }),
    ],
  ])('%s', async (_what, wrong) => {
    await expect(devicesAgree(wrong, float64)).rejects.toThrow(/seed: -?\d+/);
  });

  it('a sum that is accumulated in float32', async () => {
    const wrong = planted('sumAxis', {
      reference: (y, [x], [outer, n, inner]) => {
        y.fill(0);
        for (let o = 0; o < outer; o++) {
          for (let k = 0; k < n; k++) {
            for (let i = 0; i < inner; i++) y[o * inner + i] += x[(o * n + k) * inner + i];
          }
        }
      },
    });
    await devicesAgree(wrong, float64); // it is right in float64
    await expect(devicesAgree(wrong, float32)).rejects.toThrow(/seed: -?\d+/);
  });
});

describe('the other laws refuse', () => {
  it('an output larger than the shape rule says', async () => {
    const { device } = float64;
    const longer = async (storage: Storage) => Float64Array.of(...(await device.read(storage)), 0);
    const wrong = { ...float64, device: { ...device, read: longer } };
    await expect(shapeRuleHolds(cases.transpose, wrong)).rejects.toThrow(/seed: -?\d+/);
  });

  it('a shape rule that accepts what does not fit', async () => {
    const lax = planted('add', { shape: ([a]) => a });
    await expect(shapeRuleHolds(lax, float64)).rejects.toThrow('nothing was thrown');
  });

  it('a shape rule that throws another kind of error', async () => {
    const curt = planted('add', {
      shape: ([a, b]) => {
        if (a.join() === b.join()) return a;
        throw new Error('shapes differ');
      },
    });
    await expect(shapeRuleHolds(curt, float64)).rejects.toThrow('shapes differ');
  });

  it('a kernel that remembers its last run', async () => {
    let runs = 0;
    const wrong = planted('exp', { reference: (y) => y.fill(runs++) });
    await expect(isDeterministic(wrong, float64)).rejects.toThrow(/seed: -?\d+/);
  });

  it('a kernel that writes into an input', async () => {
    const wrong = planted('mul', {
      reference: (y, [a, b], sizes) => {
        kernels.mul.reference(y, [a, b], sizes, {});
        b.fill(7);
      },
    });
    await expect(isDeterministic(wrong, float64)).rejects.toThrow(/seed: -?\d+/);
  });

  it('a kernel that adds to the old content of its output', async () => {
    const wrong = planted('sliceAxisDx', {
      reference: (dx, [g], [outer, n, inner, begin, extent]) => {
        for (let o = 0; o < outer; o++) {
          dx.set(g.subarray(o * n * inner, (o + 1) * n * inner), (o * extent + begin) * inner);
        }
      },
    });
    await devicesAgree(wrong, float64); // new memory holds zeros, so the result is right
    await expect(fillsItsOutput(wrong)).rejects.toThrow(/seed: -?\d+/);
  });

  it('a kernel that reads its first input after overwriting it', async () => {
    const wrong = planted('relu', {
      reference: (y, [x], [n]) => {
        y.fill(0);
        for (let i = 0; i < n; i++) if (x[i] > 0) y[i] = x[i];
      },
    });
    await devicesAgree(wrong, float64); // with separate memory it is right
    await expect(inPlaceIsTheSame(wrong, float64)).rejects.toThrow(/seed: -?\d+/);
  });
});

describe.each(devices.filter(({ device }) => device.name === 'wasm'))('on $name, the laws refuse', (on) => {
  it.each<[what: string, wrong: KernelCase]>([
    ['the SIMD form of another kernel', planted('sub', { simd: 'add' })],
    ['a parameter that is not passed', planted('leakyRelu', { params: [] })],
    ['parameters in another order', planted('blend', { params: ['beta', 'alpha'] })],
    ['sizes in another order', planted('matmul', { sizes: ([a, b]) => [b[1], a[1], a[0]] })],
    ['a tail that is skipped', planted('exp', { sizes: ([x]) => [sizeOf(x) - (sizeOf(x) % 4)] })],
  ])('%s', async (_what, wrong) => {
    await expect(devicesAgree(wrong, on)).rejects.toThrow(/seed: -?\d+/);
  });

  it('a kernel that writes beyond its output', async () => {
    const wrong = planted('scale', { sizes: ([x]) => [sizeOf(x) + 32] });
    await devicesAgree(wrong, on); // the output itself is right
    await expect(isDeterministic(wrong, on)).rejects.toThrow(/seed: -?\d+/);
  });
});
