import { afterEach, expect, it, vi } from 'vitest';

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
