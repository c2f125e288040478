/** A program that imports the package by its name: `train(device)` trains for 30 steps, and returns the device and losses. */
export const training = `
  import { BatchNorm1d, crossEntropy, Dense, deviceInfo, manualSeed, ReLU, Sequential, SGD, tensor, useDevice } from 'gammabeta';
  /** Trains on a device, or on the default one. */
  async function train(device) {
    if (device) await useDevice(device);
    manualSeed(1);
    const model = new Sequential(new Dense(2, 8, { bias: false }), new BatchNorm1d(8), new ReLU(), new Dense(8, 2));
    const optimizer = new SGD(model.parameters(), { lr: 0.5 });
    const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
    const losses = [];
    for (let step = 0; step < 30; step++) {
      const loss = crossEntropy(model.forward(x), [0, 1, 1, 0]);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push((await loss.data())[0]);
    }
    const { device: name, adapter } = deviceInfo();
    return { device: name, adapter, losses };
  }`;

/** What `train` returns. */
export interface Trained {
  readonly device: string;
  readonly adapter: string;
  readonly losses: readonly number[];
}
