/** A program on WebGPU in Node: it trains, prints what it found as JSON, and does nothing to end. */
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
  /** What `auto` chose, and why not WebGPU. */
  readonly automatic: DeviceInfo;
  readonly info: DeviceInfo;
  readonly losses: readonly number[];
  /** The global names that were not there before, and whether `navigator` was changed. */
  readonly globals: readonly string[];
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
