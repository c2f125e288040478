/** Tests of engines without parts of WebAssembly: which device runs, and what is reported. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine, Outcome } from './fallback-program.ts';

function on(engine: Engine, ...flags: string[]): Outcome {
  const program = join(import.meta.dirname, 'fallback-program.ts');
  const args = [...flags, '--import', 'tsx', program, engine];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Outcome;
}

/** Node 22 and newer have relaxed SIMD; Node 20 has it behind a flag. */
const relaxed = Number.parseInt(process.versions.node) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

describe.each<[engine: Engine, flags: string[], adapter: string]>([
  ['all', relaxed, 'WebAssembly, relaxed SIMD'],
  ['no relaxed SIMD', relaxed, 'WebAssembly, SIMD'],
])('with %s', (engine, flags, adapter) => {
  const { info, losses, refusal, after } = on(engine, ...flags);

  it(`wasm is the default, with the adapter '${adapter}'`, () => {
    const threads = { threads: 1, threadsReason: 'GAMMABETA_THREADS is 1' };
    expect(info).toEqual({ device: 'wasm', adapter, dtypes: ['float32'], ...threads, passedOver: [] });
    expect([refusal, after]).toEqual([null, 'wasm']);
  });

  it('training works', () => {
    expect(losses[49]).toBeLessThan(losses[0] / 20);
  });
});

describe.each<[engine: Engine, reason: string]>([
  ['nothing', 'this engine has no WebAssembly'],
  ['no SIMD', "this engine's WebAssembly has no SIMD"],
  ['no memory', 'the kernels cannot be loaded: Out of memory'],
])('with %s', (engine, reason) => {
  const { info, losses, refusal, after } = on(engine);

  it('cpu is the default, and deviceInfo gives the reason', () => {
    expect(info).toMatchObject({
      device: 'cpu',
      adapter: 'JavaScript',
      passedOver: [{ device: 'wasm', reason }],
    });
  });

  it('training works', () => {
    expect(losses[49]).toBeLessThan(losses[0] / 20);
  });

  it('useDevice("wasm") throws with the reason and a hint, and changes nothing', () => {
    expect(refusal).toEqual({
      name: 'DeviceError',
      message: `useDevice: 'wasm' is not available: ${reason}. Hint: the device 'cpu' computes the same, slower`,
    });
    expect(after).toBe('cpu');
  });
});

it('both builds and the cpu train alike, up to rounding', () => {
  const [plain, fused, cpu] = (['no relaxed SIMD', 'all', 'nothing'] as const).map((engine) =>
    on(engine, ...relaxed),
  );
  plain.losses.forEach((loss, k) => {
    expect(Math.abs(loss - cpu.losses[k])).toBeLessThan(1e-5);
    expect(Math.abs(loss - fused.losses[k])).toBeLessThan(1e-5);
  });
});
