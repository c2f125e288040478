/** A program that trains on WebGPU in Node and prints its findings as JSON. It does not call process.exit. */
import {
  BatchNorm1d,
  crossEntropy,
  Dense,
  deviceInfo,
  type DeviceInfo,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  tensor,
  useDevice,
} from '../../../../src/index.ts';

export interface Found {
  /** The device that `auto` chose, with the reason for passing over WebGPU. */
  readonly automatic: DeviceInfo;
  readonly info: DeviceInfo;
  readonly losses: readonly number[];
  /** Global names that were added. */
  readonly globals: readonly string[];
  /** Whether `navigator` has a `gpu`. */
  readonly navigatorGpu: boolean;
}

const before = new Set(Object.getOwnPropertyNames(globalThis));
const automatic = await useDevice('auto');
await useDevice(process.argv[2] as 'webgpu');
manualSeed(1);
const model = new Sequential(
  new Dense(2, 8, { bias: false }),
  new BatchNorm1d(8),
  new ReLU(),
  new Dense(8, 2),
);
const optimizer = new SGD(model.parameters(), { lr: 0.5 });
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]); // prettier-ignore
const losses: number[] = [];
for (let step = 0; step < 30; step++) {
  const loss = crossEntropy(model.forward(x), [0, 1, 1, 0]);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  losses.push((await loss.data())[0]);
}
const { navigator } = globalThis as { navigator?: object };
const found: Found = {
  automatic,
  info: deviceInfo(),
  losses,
  globals: Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)),
  navigatorGpu: navigator !== undefined && 'gpu' in navigator,
};
console.log(JSON.stringify(found));
