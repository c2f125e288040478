import { describe, expect, it } from 'vitest';
import { gpuSubjects, isProduct, squareProducts } from '../gpu/gpu-subjects.ts';
import { check } from '../gpu/check.ts';
import { crossover } from '../gpu/gpu-tables.ts';
import { frame, resultsHtml } from '../gpu/html.ts';
import { leaves } from '../gpu/options.ts';
import { emptyReport, type HostReport } from '../gpu/gpu-report.ts';
import { NOT_A_RESULT, tablesOf } from '../gpu/gpu-tables.ts';
import { timeInTurns } from '../gpu/turns.ts';
import { kernelSubject } from '../cases/kernel-subject.ts';
import { DisagreesError } from '../validate.ts';
import * as kernels from '../../kernels/index.ts';

describe('the crossover', () => {
  const timings = (webgpu: readonly number[], wasm: readonly number[]) =>
    [webgpu, wasm].flatMap((times, k) =>
      times.map((seconds, i) => ({ device: (['webgpu', 'wasm'] as const)[k], batch: 32 * 4 ** i, seconds })),
    );

  it('is the smallest batch from which on the GPU is faster', () => {
    expect(crossover(timings([5, 5, 5], [1, 4, 16]), 'webgpu')).toBe(512);
    expect(crossover(timings([5, 5, 5], [6, 7, 16]), 'webgpu')).toBe(32);
  });

  it('is null if the GPU is slower at the largest batch, or if a time is missing', () => {
    expect(crossover(timings([5, 5, 50], [1, 8, 16]), 'webgpu')).toBeNull();
    expect(crossover(timings([5, 5, 5], [1, 8]), 'webgpu')).toBeNull();
    expect(crossover([], 'webgpu')).toBeNull();
  });

  it('ignores a batch at which the GPU is faster if it is slower at a larger one', () => {
    expect(crossover(timings([5, 5, 5], [8, 4, 16]), 'webgpu')).toBe(512);
  });
});

describe('timeInTurns', () => {
  it('alternates the blocks and makes them long enough', async () => {
    const order: string[] = [];
    const block = (name: string) => async (repetitions: number) => {
      order.push(name);
      await new Promise((resolve) => setTimeout(resolve, 2 * repetitions));
    };
    const [a, b] = await timeInTurns([block('a'), block('b')], { quick: true, multiple: 4 });
    expect(order.slice(-6).join('')).toBe('ababab');
    expect(a.repetitions % 4).toBe(0);
    expect(a.samples).toBe(3);
    expect(a.least).toBeLessThanOrEqual(a.seconds);
    expect(b.most).toBeGreaterThanOrEqual(b.seconds);
    expect(a.seconds).toBeGreaterThan(0.001);
  });

  it('makes at most the given number of repetitions', async () => {
    const [{ repetitions }] = await timeInTurns([() => Promise.resolve()], { quick: true, atMost: 7 });
    expect(repetitions).toBe(7);
  });
});

describe('the sizes on a GPU', () => {
  it('cover every kernel, with square products up to 4096 in both forms on hardware', () => {
    const hardware = gpuSubjects({ software: false, quick: false });
    expect(new Set(hardware.map(({ name }) => name))).toEqual(new Set(Object.keys(kernels)));
    for (const name of ['matmul', 'matmulTransposedB', 'matmulTransposedA']) {
      const sizes = hardware.filter((each) => each.name === name).map(({ size }) => size);
      expect(sizes).toHaveLength(8);
      expect(sizes.at(-1)).toBe('2048×2048');
    }
    const squares = squareProducts({ software: false, quick: false });
    expect(squares.map(({ size }) => size).slice(2, 4)).toEqual(['1024×1024', '4096×4096']);
  });

  it('are small on a software GPU', () => {
    const software = gpuSubjects({ software: true, quick: false });
    for (const { name, cost } of software) expect(isProduct(name) ? cost.flops : 0).toBeLessThan(2e8);
  });
});

describe('a result', () => {
  it.each([
    {
      kernel: kernels.matmul,
      shapes: [
        [20, 30],
        [30, 7],
      ],
    },
    {
      kernel: kernels.matmulTransposedB,
      shapes: [
        [20, 30],
        [7, 30],
      ],
    },
    {
      kernel: kernels.matmulTransposedA,
      shapes: [
        [30, 20],
        [30, 7],
      ],
    },
  ])(
    'accepts a right product of $kernel.name, and checks only some rows of a large one',
    ({ kernel, shapes }) => {
      const subject = kernelSubject(kernel, { shapes, params: {} });
      const found = Float32Array.from(subject.expected()[0]);
      check(subject, found);
      check(subject, found, 0);
      found[19 * 7 + 3] += 1;
      for (const whole of [Infinity, 0]) {
        expect(() => check(subject, found, whole)).toThrow(/at \[19, 3\] is .* and should be/);
      }
      found.set(subject.expected()[0]);
      found[1 * 7] += 1; // this row is not among the checked ones
      check(subject, found, 0);
      expect(() => check(subject, found)).toThrow(DisagreesError);
    },
  );

  it('rejects a wrong value and a wrong size', () => {
    const subject = kernelSubject(kernels.relu, { shapes: [[2, 3]], params: {} });
    const found = Float32Array.from(subject.expected()[0]);
    check(subject, found);
    expect(() => check(subject, found.subarray(1))).toThrow(DisagreesError);
    found[4] = NaN;
    expect(() => check(subject, found)).toThrow(DisagreesError);
  });
});

describe('the tables and the page', () => {
  const sampled = { seconds: 0.002, least: 0.001, most: 0.003, samples: 3, repetitions: 8 };
  const report = (software: boolean): HostReport => ({
    ...emptyReport('Chromium 1'),
    devices: [{ device: 'webgpu', adapter: 'Abacus <1>', software, dtypes: ['float32'], passedOver: [] }],
    passedOver: [{ device: 'webgl', reason: 'there is no WebGL2' }],
    steps: (['wasm', 'webgpu'] as const).map((device) => ({ net: 'bn', batch: 32, device, ...sampled })),
    refused: ['webgpu: relu is wrong'],
  });

  it('mark the results of a software GPU', () => {
    for (const { note } of tablesOf(report(true))) expect(note).toBe(NOT_A_RESULT);
    for (const { note } of tablesOf(report(false))) expect(note).toBe('');
    expect(resultsHtml(report(true))).toContain(NOT_A_RESULT);
  });

  it('show the crossover, the adapters, and the reasons why others were passed over', () => {
    const [{ rows }] = tablesOf(report(false)).filter(({ title }) => title.includes('step'));
    expect(rows).toEqual([
      ['bn', '32', '2.00', '2.00', '1.00'],
      ['bn', 'wins from', '', 'none up to 32', ''],
    ]);
    const html = resultsHtml(report(false));
    expect(html).toContain('webgpu: Abacus &lt;1&gt;');
    expect(html).toContain('webgl passed over: there is no WebGL2');
    expect(html).toContain('not timed: webgpu: relu is wrong');
  });

  it('show other libraries with their ratio to gammabeta, and a dash where one was not timed', () => {
    const timing = (library: string, workload: string, seconds: number) => ({
      ...sampled,
      library,
      workload,
      seconds,
    });
    const peers = [
      timing('gammabeta, WebGPU', 'step bn 32 digits', 0.002),
      timing('jax-js, WebGPU', 'step bn 32 digits', 0.003),
      timing('gammabeta, WebGPU', 'matmul 1024', 0.004),
    ];
    const table = tablesOf({ ...report(false), peers }).find(({ title }) =>
      title.includes('Other libraries'),
    );
    expect(table?.head.at(-1)).toBe('jax-js, WebGPU ÷ gammabeta');
    expect(table?.rows).toEqual([
      ['step bn 32 digits', '2.00', '3.00', '1.50'],
      ['matmul 1024', '4.00', '–', '–'],
    ]);
  });

  it('contain the options as text, not as markup', () => {
    expect(frame({ filter: '</script><script>' }, '/page.js')).not.toContain('</script><script>"');
  });
});

describe('the filter', () => {
  it('accepts x for ×', () => {
    expect(leaves('matmul 32x784', 'matmul 32×784 784×300')).toBe(true);
    expect(leaves('relu', 'step bn 32')).toBe(false);
    expect(leaves('', 'step bn 32')).toBe(true);
  });
});
