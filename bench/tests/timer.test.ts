import { describe, expect, it } from 'vitest';
import { time } from '../timer.ts';

describe('the timer', () => {
  it('calls the function many times', async () => {
    let calls = 0;
    const { seconds, rme, samples } = await time(() => calls++, { quick: true });
    expect(calls).toBeGreaterThan(samples);
    expect(samples).toBeGreaterThanOrEqual(3);
    expect(seconds).toBeGreaterThan(0);
    expect(rme).toBeGreaterThanOrEqual(0);
  });

  it('awaits each promise before the next call', async () => {
    let [calls, running, most] = [0, 0, 0];
    const work = async () => {
      calls++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    const { seconds } = await time(work, { quick: true });
    expect(calls).toBeGreaterThan(3);
    expect(most).toBe(1);
    expect(seconds).toBeGreaterThan(0);
  });

  it.each([
    ['the first call', 1],
    ['a later call', 10],
  ])('fails with the error that %s throws', async (_, last) => {
    const failure = new Error('out of memory');
    let calls = 0;
    const work = () => {
      if (++calls >= last) throw failure;
    };
    await expect(time(work, { quick: true })).rejects.toBe(failure);
    expect(calls).toBe(last);
  });

  it.each([
    ['during the warm-up', 5],
    ['after the warm-up', 30], // the warm-up takes 20 ms
  ])('fails with the error of a promise that rejects %s', async (_, milliseconds) => {
    const failure = new Error('the device is lost');
    const begin = performance.now();
    let failures = 0;
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (performance.now() - begin < milliseconds) return;
      failures++;
      throw failure;
    };
    await expect(time(work, { quick: true })).rejects.toBe(failure);
    expect(failures).toBe(1);
  });
});
