import { afterEach, expect, it, vi } from 'vitest';
import { DataLoader, evaluate, Layer, predict, type Tensor } from '../../src/index.ts';

const removed = new Map<string, PropertyDescriptor | undefined>();
afterEach(() => {
  for (const [name, own] of removed) if (own) Object.defineProperty(globalThis, name, own);
  removed.clear();
});

// Node has both; browsers have no setImmediate; Cloudflare's workerd has no MessageChannel.
it.each([[[]], [['setImmediate']], [['setImmediate', 'MessageChannel']]])(
  'breathe lets other tasks run where %j is missing',
  async (missing: readonly string[]) => {
    vi.resetModules(); // the first pause comes at once
    const { breathe } = await import('../../src/training/breathe.ts');
    for (const name of missing) {
      removed.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
      Reflect.deleteProperty(globalThis, name);
      expect(name in globalThis).toBe(false);
    }
    let ended = false;
    const pause = breathe().then(() => (ended = true));
    for (let i = 0; i < 100; i++) await Promise.resolve(); // promises alone do not end the pause
    expect(ended).toBe(false);
    await pause;
    expect(ended).toBe(true);
  },
);

/** Takes 5 ms per batch, and then waits for nothing. */
class Slow extends Layer {
  override forward(x: Tensor): Tensor {
    for (const start = performance.now(); performance.now() - start < 5;);
    return x;
  }
}

it.each([
  ['evaluate', (data: DataLoader, signal: AbortSignal) => evaluate(new Slow(), data, { signal })],
  ['predict', (data: DataLoader, signal: AbortSignal) => predict(new Slow(), data, { signal })],
])('%s hears an abort while it computes', async (_, run) => {
  const data = { x: new Float32Array(600), shape: [3], labels: new Uint8Array(200) };
  const controller = new AbortController();
  const reason = new Error('a click');
  setTimeout(() => controller.abort(reason), 1); // without pauses, this timer fires after all 200 batches
  const running = run(new DataLoader(data, { batchSize: 1 }), controller.signal);
  await expect(running).rejects.toBe(reason);
});
