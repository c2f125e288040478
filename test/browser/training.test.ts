import { describe, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { BatchNorm1d, deviceInfo, gradcheck, tensor, useDevice } from '../../src/index.ts';
import { train, trained } from './train.ts';

describe('in the browser, on its default device', () => {
  it('runs in a page, not in Node', () => {
    expect('document' in globalThis).toBe(true);
    expect(globalThis.constructor.name).toBe('Window');
  });

  it('the device is wasm', () => {
    expect(deviceInfo()).toMatchObject({ device: 'wasm', passedOver: [] });
    expect(deviceInfo().adapter).toMatch(/^WebAssembly, (relaxed )?SIMD$/);
  });

  it('trains a network with batch normalization', async () => {
    const history = await train();
    expect(history.valAccuracy.at(-1)).toBeGreaterThan(0.9);
  });

  it('gives the same numbers for the same seed, bit for bit', async () => {
    const [first, second] = [await trained(), await trained()];
    expect(second).toEqual(first);
  });

  it('gives the same numbers as Node: bit for bit with the same SIMD kernels, otherwise within 1e-4', async () => {
    const [here, inNode] = [await trained(), await commands.trainInNode()];
    if (here.adapter === inNode.adapter) expect(here).toEqual(inNode);
    here.loss.forEach((loss, epoch) => expect(Math.abs(loss - inNode.loss[epoch])).toBeLessThan(1e-4));
    here.valLoss.forEach((loss, epoch) => expect(Math.abs(loss - inNode.valLoss[epoch])).toBeLessThan(1e-4));
  });
});

describe('in the browser, on the cpu device', () => {
  it('gradients pass gradcheck', async () => {
    await useDevice('cpu');
    const options = { dtype: 'float64', requiresGrad: true } as const;
    const x = tensor([[1, -2], [3, 0.5], [-1, 4]], options); // prettier-ignore
    const w = tensor([[0.5, 1], [-1, 2]], options); // prettier-ignore
    const norm = new BatchNorm1d(2, { dtype: 'float64' });
    expect(gradcheck((x, w) => norm.forward(x.matmul(w)).tanh(), [x, w])).toBe(true);
    await useDevice('wasm');
  });
});
