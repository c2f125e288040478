/**
 * Times a training step and a product in other libraries on the same GPU, in turns. It runs in a page: WebGPU and WebGL
 * of jax-js and TensorFlow.js need a browser.
 */
import * as gammabeta from '../../src/index.ts';
import { disagreement } from '../peers/agreement.ts';
import { workloadsOf } from '../peers/contenders/gammabeta-workloads.js';
import type { Task, Workloads } from '../peers/contenders/gammabeta-workloads.js';
import { matmul, step, type Workload } from '../peers/workloads.ts';
import { DisagreesError } from '../validate.ts';
import type { PeerTiming } from './gpu-report.ts';
import type { Sizes } from './gpu-subjects.ts';
import { type Block, timeInTurns } from './turns.ts';

export const peerNames = ['jax-js, WebGPU', 'TensorFlow.js, WebGPU', 'TensorFlow.js, WebGL'] as const;

export type PeerName = (typeof peerNames)[number];

interface Installed {
  /** The file in bench/peers/contenders that opens it in a page, and the argument of its `open`. */
  readonly file: string;
  readonly backend: 'webgpu' | 'webgl';
  readonly packages: readonly string[];
}

const tfjs = ['core', 'backend-webgl', 'backend-webgpu'].map((part) => `@tensorflow/tfjs-${part}`);

/** The libraries that may take part. */
export const peers: Readonly<Record<PeerName, Installed>> = {
  'jax-js, WebGPU': { file: 'jax-js-page', backend: 'webgpu', packages: ['@jax-js/jax'] },
  'TensorFlow.js, WebGPU': { file: 'tfjs-page', backend: 'webgpu', packages: tfjs },
  'TensorFlow.js, WebGL': { file: 'tfjs-page', backend: 'webgl', packages: tfjs },
};

/** A library with its GPU. */
export interface Peer {
  readonly workloads: Workloads;
  /** Makes its GPU current, before any of its work. */
  readonly activate: () => Promise<unknown>;
}

/** Opens a library, which is another file of the page. */
export type OpenPeer = (name: PeerName) => Promise<Peer>;

/** The workloads, by their names; on a software GPU only small ones. */
export function peerWorkloads({ software, quick }: Sizes): readonly Workload[] {
  const batches = software || quick ? [32] : [32, 256, 1024, 4096];
  const sides = software ? [128] : quick ? [1024] : [1024, 4096];
  return [
    ...(['plain', 'bn'] as const).flatMap((net) => batches.map((batch) => step(net, batch, 'digits'))),
    ...sides.map(matmul),
  ];
}

/**
 * Prepares a workload in all libraries, compares their results with gammabeta's, and times those that agree.
 *
 * @param refuse Is called with a line for each library that fails or computes something else.
 */
export async function timePeers(
  workload: Workload,
  names: readonly PeerName[],
  open: OpenPeer,
  quick: boolean,
  refuse: (line: string) => void,
): Promise<PeerTiming[]> {
  const prepared = await workload.prepare();
  const ours: Peer = {
    workloads: workloadsOf(gammabeta),
    activate: () => gammabeta.useDevice('webgpu'),
  };
  const blocks = new Map<string, Block>();
  let expected: Awaited<ReturnType<Task['verify']>> | null = null;
  for (const name of ['gammabeta, WebGPU' as const, ...names]) {
    try {
      const peer = name === 'gammabeta, WebGPU' ? ours : await open(name);
      await peer.activate();
      const { [prepared.request.kind]: prepare } = peer.workloads;
      const task = await prepare(prepared.request, prepared.inputs);
      const found = await task.verify();
      expected ??= found;
      const difference = disagreement(found, expected, prepared, workload.tolerance);
      if (difference !== null) throw new DisagreesError(`differs from gammabeta: ${difference}`);
      blocks.set(name, async (repetitions) => {
        await peer.activate();
        for (let k = 0; k < repetitions; k++) await task.iterate();
        await task.settle();
      });
    } catch (error) {
      if (expected === null) throw error; // without gammabeta there is nothing to compare with
      refuse(`${workload.name}, ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const sampled = await timeInTurns([...blocks.values()], { quick, atMost: 512 });
  return [...blocks.keys()].map((library, k) => ({ workload: workload.name, library, ...sampled[k] }));
}
