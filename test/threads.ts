/**
 * Setup of the project `threads`, whose tests run on two threads: every kernel is divided, however small it is. The second
 * thread is offered a share of each, and computes it unless it is late, as it may be on a busy machine.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import type { Pool } from '../src/tensor/device/wasm/threads/pool.ts';

let pool: Pool;

beforeAll(async () => {
  // Imported here, because a test file may replace modules of the library.
  const { makeTeam } = await import('../src/tensor/device/wasm/threads/team.ts');
  const { wasmDevice } = await import('./tensor/device/wasm/wasm-device.ts');
  const device = await wasmDevice();
  device.gather(makeTeam);
  if (device.pool === null) throw new Error('shared memory is refused');
  pool = device.pool;
  await pool.started();
  pool.leastShare = 0;
});

afterAll(() => {
  expect(pool.ready).toBe(1);
  expect(pool.lost).toBe(0);
});
