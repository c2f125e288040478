/** Counts the calls of WebGPU in a training step. */
import type { CallCounts, NetAndBatch } from './gpu-report.ts';
import { trainerOn } from './trainer.ts';

type Method = (...args: unknown[]) => unknown;
type Prototype = Record<string, Method>;

/** The methods that are counted, by class. */
const counted = {
  launches: ['GPUComputePassEncoder', 'dispatchWorkgroups'],
  submits: ['GPUQueue', 'submit'],
  writes: ['GPUQueue', 'writeBuffer'],
  buffers: ['GPUDevice', 'createBuffer'],
} as const;

/** The calls of a step, whose loss is read: the mean of `steps` steps, after as many others. */
export async function countCalls(netAndBatch: NetAndBatch, steps = 4): Promise<CallCounts> {
  const trainer = await trainerOn('webgpu', netAndBatch);
  await trainer.run(steps, 1);
  const { launches, submits, writes, buffers } = await callsOf(() => trainer.run(steps, 1));
  const perStep = (count: number) => count / steps;
  return {
    ...netAndBatch,
    launches: perStep(launches),
    submits: perStep(submits),
    writes: perStep(writes),
    buffers: perStep(buffers),
  };
}

/** The calls while `work` runs. */
export async function callsOf(work: () => Promise<unknown>): Promise<Record<keyof typeof counted, number>> {
  const counts = { launches: 0, submits: 0, writes: 0, buffers: 0 };
  const classes = await webGpuClasses();
  const restores = Object.entries(counted).map(([name, [owner, method]]) => {
    const { prototype } = classes[owner];
    const original = prototype[method];
    prototype[method] = function (this: unknown, ...args: unknown[]): unknown {
      counts[name as keyof typeof counts]++;
      return original.apply(this, args);
    };
    return () => {
      prototype[method] = original;
    };
  });
  try {
    await work();
  } finally {
    for (const restore of restores) restore();
  }
  return counts;
}

/** In a page the classes are global; in Node the package `webgpu` has them. */
async function webGpuClasses(): Promise<Readonly<Record<string, { readonly prototype: Prototype }>>> {
  const page: object = globalThis;
  const name = 'webgpu'; // a variable, so that the page's bundler does not resolve it
  const found: unknown = 'GPUQueue' in page ? { globals: page } : await import(name);
  return (found as { readonly globals: Readonly<Record<string, { readonly prototype: Prototype }>> }).globals;
}
