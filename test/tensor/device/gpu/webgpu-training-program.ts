/** A program that trains small networks on WebGPU in Node, and prints its findings as JSON. */
import './poll-less.ts';
import { globals } from 'webgpu';
import { denseDz } from '../../../../kernels/gpu/wgsl/columns.ts';
import { layernormDx } from '../../../../kernels/gpu/wgsl/layernorm.ts';
import { softmaxCrossEntropy } from '../../../../kernels/gpu/wgsl/softmax.ts';
import {
  BatchNorm1d,
  crossEntropy,
  Dense,
  deviceInfo,
  type DeviceInfo,
  type DeviceName,
  type Layer,
  LayerNorm,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  tensor,
  uniform,
  useDevice,
} from '../../../../src/index.ts';
import { currentDevice } from '../../../../src/tensor/device/current.ts';
import { openGpu } from '../../../../src/tensor/device/gpu/open-gpu.ts';
import { fusionPlans } from '../../../../src/tensor/device/gpu/plans.ts';
import { type Candidate, useDeviceFrom } from '../../../../src/tensor/device/registry.ts';

export interface TrainingFound {
  /** The choice of `auto` for a network, where the software GPU is declared as hardware. */
  readonly automatic: DeviceInfo;
  /** Whether timing left the values of the network as they were. */
  readonly unchanged: boolean;
  /** The forms of products that `deviceInfo` reports after each was chosen. */
  readonly products: readonly (string | undefined)[];
  /** The number of buffers after 100 and 1,100 steps. */
  readonly buffers: readonly number[];
}

/** What happens with kernels that do not compile. */
export interface RefusedFound {
  /** The losses, and those of `wasm`. */
  readonly losses: readonly number[];
  readonly expected: readonly number[];
  readonly lines: readonly string[];
}

/** Returns a function that trains a network for some steps, and returns the losses, each read after its step. */
function trainer(...layers: readonly Layer[]): (steps: number) => Promise<number[]> {
  const model = new Sequential(...layers);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]); // prettier-ignore
  return async (steps) => {
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const loss = crossEntropy(model.forward(x), [0, 1, 1, 0]);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push((await loss.data())[0]);
    }
    return losses;
  };
}

/** `useDevice('auto', { for: model, batch })` with the software GPU declared as hardware. */
async function automatic(): Promise<Pick<TrainingFound, 'automatic' | 'unchanged'>> {
  const gpu = await openGpu('webgpu', { hardware: false });
  Object.defineProperty(gpu, 'software', { value: false });
  const wasm = currentDevice();
  const candidates: readonly Candidate[] = [
    { name: 'webgpu', kind: 'gpu', open: () => gpu },
    { name: 'wasm', kind: 'processor', open: () => wasm },
  ];
  const model = new Sequential(new Dense(8, 16), new BatchNorm1d(16), new ReLU(), new Dense(16, 4));
  const values = async (): Promise<string> => {
    const state = Object.entries(model.stateDict());
    return JSON.stringify(await Promise.all(state.map(async ([name, x]) => [name, ...(await x.data())])));
  };
  const before = await values();
  const info = await useDeviceFrom(candidates, 'auto', { for: model, batch: uniform([32, 8]) });
  return { automatic: info, unchanged: (await values()) === before };
}

/** Lets `auto` choose, chooses the products by hand, then counts buffers. */
async function usual(): Promise<TrainingFound> {
  const chosen = await automatic();
  const classes = globals as Readonly<Record<string, { readonly prototype: Record<string, unknown> }>>;
  let buffers = 0;
  const count = (owner: string, method: string, change: number): void => {
    const { prototype } = classes[owner];
    const original = prototype[method] as (...args: unknown[]) => unknown;
    prototype[method] = function (this: unknown, ...args: unknown[]): unknown {
      buffers += change;
      return original.apply(this, args);
    };
  };
  count('GPUDevice', 'createBuffer', 1);
  count('GPUBuffer', 'destroy', -1);
  const gpuJs = await useDevice('webgpu', { products: 'gpu.js' });
  const tiled = await useDevice('webgpu', { products: 'tiled' });
  const train = trainer(new Dense(2, 8, { bias: false }), new BatchNorm1d(8), new ReLU(), new Dense(8, 2));
  const found: number[] = [];
  for (const hundreds of [1, 10]) {
    for (let k = 0; k < hundreds; k++) {
      await train(100);
      for (let turn = 0; turn < 3; turn++) {
        globalThis.gc?.(); // otherwise garbage collection decides when the losses give their buffers back
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    found.push(buffers);
  }
  return { ...chosen, products: [gpuJs, tiled].map(({ products }) => products?.form), buffers: found };
}

/** Trains with kernels that the driver refuses. */
async function withRefused(): Promise<RefusedFound> {
  for (const form of [softmaxCrossEntropy, denseDz, layernormDx, ...fusionPlans.dense.forms]) {
    Object.assign(form, { code: 'this is not WGSL' });
  }
  const losses = async (device: DeviceName): Promise<number[]> => {
    await useDevice(device);
    manualSeed(1);
    return trainer(new Dense(2, 8), new LayerNorm(8), new Dense(8, 8), new ReLU(), new Dense(8, 2))(3);
  };
  const expected = await losses('wasm');
  return { expected, losses: await losses('webgpu'), lines: deviceInfo().refused ?? [] };
}

console.log(JSON.stringify(await (process.argv[2] === 'refused' ? withRefused() : usual())));
