/** Helpers for tests of the wasm device's memory. */
import { expect } from 'vitest';
import { type Tensor, tensor, useDevice } from '../../../../src/index.ts';
import type { WasmDevice } from '../../../../src/tensor/device/wasm/open-wasm.ts';

/** Selects and returns the wasm device. */
export async function wasmDevice(): Promise<WasmDevice> {
  await useDevice('wasm');
  const { home } = tensor(0);
  if (!('residency' in home)) throw new Error(`the wasm device was expected: ${home.adapter}`);
  return home as WasmDevice;
}

/** Tensors that a program keeps, with the values that they must keep. */
export class Held {
  private readonly all: { readonly what: string; readonly x: Tensor; readonly values: ArrayLike<number> }[] =
    [];

  private paused = false;

  /** Holds a tensor and returns it. Throws if it is missing. */
  hold(what: string, x: Tensor | null | undefined): Tensor {
    if (!x) throw new Error(`${what}: a tensor was expected`);
    if (!this.paused) this.all.push({ what, x, values: x.dataSync() });
    return x;
  }

  /** Until `resume`, `hold` keeps nothing. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  get size(): number {
    return this.all.length;
  }

  /** Overwrites all memory that was freed, then checks that every held tensor has its values. */
  check(): void {
    for (const { x } of this.all) for (let k = 0; k < 4; k++) tensor(new Float32Array(x.size).fill(777));
    for (const { what, x, values } of this.all) {
      expect(x.dataSync(), what).toEqual(values);
      expect(x.mul(1).dataSync(), `${what}, used`).toEqual(values);
    }
  }
}
