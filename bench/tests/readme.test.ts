import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PeersReport } from '../peers/peers-report.ts';
import { quoteResults } from '../readme-blocks.ts';
import type { Report } from '../suite-report.ts';
import type { ThreadsReport } from '../threads-report.ts';
import { emptyReport, type GpuReport } from '../gpu/gpu-report.ts';
import { type GpuResults, readResults } from '../results.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const none = { suites: [], peers: [], threads: [], gpus: [] };

const machine = { cpu: 'Abacus', cores: 1, os: 'Linux', node: 'v24.1.0', flags: [], load: 0.5 };
const onGpu = { device: 'webgpu', least: 0, most: 1, samples: 5, repetitions: 1 } as const;
const product = { ...onGpu, kernel: 'matmul', size: '1024×1024', bytes: 1, flops: 1, compile: null };
const rates = { gigabytesPerSecond: 1, gigaflops: 1 };
const gpuReport: GpuReport = {
  benchmark: 'gammabeta-gpu',
  date: '2026-11-21T00:00:00.000Z',
  quick: false,
  machine,
  hosts: [
    {
      ...emptyReport('Node v24.1.0'),
      devices: [{ device: 'webgpu', adapter: 'Abacus GPU', dtypes: ['float32'], passedOver: [] }],
      products: [
        { ...product, ...rates, form: 'tiled', seconds: 0.001, teraflops: 10 },
        { ...product, ...rates, form: 'gpu.js', seconds: 0.005, teraflops: 2 },
      ],
      steps: [
        { ...onGpu, net: 'plain', batch: 32, device: 'wasm', seconds: 0.001 },
        { ...onGpu, net: 'plain', batch: 32, seconds: 0.0005 },
      ],
    },
  ],
};
const gpu: GpuResults = {
  name: 'abacus',
  report: gpuReport,
  before: undefined,
  products: gpuReport,
  cuda: {
    benchmark: 'gammabeta-gpu-pytorch',
    quick: false,
    products: [{ kernel: 'matmul', size: '1024×1024', teraflops: 40 }],
    steps: [{ net: 'plain', batch: 32, seconds: 0.00025 }],
  },
};
const timing = { seconds: 0.00125, rme: 1, samples: 10 };
const report: Report = {
  benchmark: 'gammabeta',
  date: '2026-11-21T00:00:00.000Z',
  quick: false,
  machine,
  device: { device: 'wasm', adapter: 'WebAssembly, SIMD', dtypes: ['float32'], passedOver: [] },
  forms: [
    { form: 'reference', adapter: 'JavaScript' },
    { form: 'simd', adapter: 'WebAssembly, SIMD' },
  ],
  passedOver: [],
  ceilings: [
    {
      form: 'simd',
      before: { multiplyAdd: 40, copyVectors: 20, copyMemory: 30 },
      after: { multiplyAdd: 41, copyVectors: 21, copyMemory: 31 },
    },
  ],
  kernels: (['reference', 'simd'] as const).map((form) => ({
    ...{ kernel: 'matmul', size: '512×512', form, bytes: 1, flops: 1, gigabytesPerSecond: 2, gigaflops: 38 },
    ...timing,
    ofCeiling: form === 'reference' ? null : { ceiling: 'multiplyAdd', fraction: 0.93 },
    speedup: form === 'reference' ? 1 : 19,
  })),
  steps: [
    {
      ...{ net: 'plain', batch: 32, inputs: 'digits', ...timing },
      parts: { forward: 0.0004, backward: 0.0006, update: 0.0001 },
    },
  ],
  scaling: [
    {
      name: 'step plain',
      over: 'batch',
      points: [],
      fit: { exponent: 0.987, r2: 0.999, from: 256, to: 4096 },
    },
  ],
  refused: [],
};
const summary = (median: number) => ({ median, quartiles: [0.9 * median, 1.1 * median] as const });
const measured = {
  workload: 'step bn 32',
  checkedAgainst: 'pytorch',
  iterations: 1,
  seconds: [],
  ratios: [],
} as const;
const peersReport: PeersReport = {
  benchmark: 'gammabeta peers',
  date: report.date,
  quick: false,
  rounds: 15,
  machine,
  nodeFlags: [],
  contenders: [
    { name: 'gammabeta', version: '0.1.0', backend: 'wasm', threads: 1 },
    { name: 'pytorch', version: '1.13', backend: 'OpenBLAS', threads: 1 },
  ],
  timings: [
    { ...measured, contender: 'gammabeta', time: summary(0.002), ratio: summary(1) },
    { ...measured, contender: 'pytorch', time: summary(0.004), ratio: summary(2) },
  ],
  experiment: [],
  problems: [],
};

const threadsReport: ThreadsReport = {
  benchmark: 'gammabeta threads',
  date: report.date,
  quick: false,
  machine,
  backend: 'wasm (SIMD)',
  counts: [2],
  limits: {
    latency: 0.5,
    products: summary(1.9),
    norms: summary(1.8),
    weights: summary(1.6),
    sums: summary(1.7),
    reading: { own: 40, others: 10 },
    interruptions: { one: 0.02, all: 0.05 },
  },
  results: [
    {
      name: 'step bn 32 digits',
      goal: 1.5,
      timings: [
        { threads: 1, milliseconds: 3, speedup: summary(1) },
        { threads: 2, milliseconds: 2, speedup: summary(1.5) },
      ],
      divided: 0.8,
      allowed: summary(1.6),
      most: 1.43,
    },
  ],
};

describe('the README of the benchmarks', () => {
  it('quotes the committed results (npm run docs)', async () => {
    expect(await quoteResults(readme, readResults())).toBe(readme);
  });

  it('says which tables have no results', async () => {
    const text = await quoteResults(readme, none);
    expect(text.match(/^Not measured yet/gm)).toHaveLength(12);
  });

  it('has a table for each suite', async () => {
    const results = {
      suites: [{ ...report, file: 'all.json' }],
      peers: [
        { ...peersReport, file: 'peers.json' },
        { ...peersReport, file: 'page.json', browser: 'Chromium 156.0, headless' },
      ],
      threads: [{ ...threadsReport, file: 'threads.json' }],
      gpus: [gpu],
    };
    const text = await quoteResults(readme, results);
    const rows = text.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    expect(rows).toEqual(
      expect.arrayContaining([
        'Abacus, 1 cores, Linux.',
        '| [page.json](results/page.json) | 2026-11-21 | Chromium 156.0 | wasm | 0.5 |',
        'Node v24.1.0, from [all.json](results/all.json):',
        '| `simd` | 40.0 … 41.0 | 20.0 … 21.0 | 30.0 … 31.0 |',
        '| `matmul` 512×512 | 1.25 | 1.25 | 38.0 | 93 % | 19.0 |',
        'Node v24.1.0, Abacus GPU, from [gpu-abacus.json](results/gpu-abacus.json):',
        '| `matmul` 1024×1024 | 2.00 | 10.0 | 5.00 | 40.0 | 25 % |',
        '| plain | 32 | 1.00 | – | 0.500 | 2.00 | 0.250 | 50 % |',
        '| `plain` | 32 | digits | 1.25 | 1.0 % | 0.400 | 0.600 | 0.100 |',
        '| step plain | batch | 256 … 4096 | 0.99 | 0.999 |',
        '| 2 threads, a product of its own each | **1.90** (1.71 … 2.09) times as fast as one |',
        '| step bn 32 digits | 3.00 | 2.00 | **1.50** (1.35 … 1.65) | 80 % | 1.60 | 1.43 |',
        '- `pytorch` 1.13, OpenBLAS, 1 thread',
        'Chromium 156.0, headless, from [page.json](results/page.json):',
        '| step bn 32 | 2.00 | **2.00** (1.80 … 2.20) |',
      ]),
    );
  });
});

describe('the results', () => {
  const folderWith = async (files: Readonly<Record<string, object>>) => {
    const folder = await mkdtemp(join(tmpdir(), 'gammabeta-results-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const [name, value] of Object.entries(files))
      await writeFile(join(folder, name), JSON.stringify(value));
    return folder;
  };

  it('are sorted by kind and by Node version, newest first', async () => {
    const on = (node: string) => ({ ...report, machine: { ...machine, node } });
    const files = {
      'a.json': on('v20.20.2'),
      'b.json': peersReport,
      'c.json': on('v24.1.0'),
      'd.json': threadsReport,
    };
    const { suites, peers, threads } = readResults(await folderWith(files));
    expect(suites.map(({ file }) => file)).toEqual(['c.json', 'a.json']);
    expect(peers.map(({ file }) => file)).toEqual(['b.json']);
    expect(threads.map(({ file }) => file)).toEqual(['d.json']);
  });

  it('are empty if there is no folder', () => {
    expect(readResults(join(tmpdir(), 'gammabeta-no-such-folder'))).toEqual(none);
  });

  it('are rejected if they were measured with --quick', async () => {
    const folder = await folderWith({ 'a.json': { ...report, quick: true } });
    expect(() => readResults(folder)).toThrow('a.json: measured with --quick');
  });
});
