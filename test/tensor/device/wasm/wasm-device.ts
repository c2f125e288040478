/** What tests of the wasm device's memory share. */
import { expect } from 'vitest';
import { type Tensor, tensor, useDevice } from '../../../../src/index.ts';
import type { WasmDevice } from '../../../../src/tensor/device/wasm/open-wasm.ts';

/** The wasm device that new tensors are made on. */
export async function wasmDevice(): Promise<WasmDevice> {
  await useDevice('wasm');
  const { home } = tensor(0);
  if (!('residency' in home)) throw new Error(`the wasm device was expected: ${home.adapter}`);
  return home as WasmDevice;
}

/** Tensors that a program holds on to, with the values that they have to keep. */
export class Held {
  private readonly all: { readonly what: string; readonly x: Tensor; readonly values: ArrayLike<number> }[] =
    [];

  private paused = false;

  /** Holds a tensor and returns it. A missing one is a failure. */
  hold(what: string, x: Tensor | null | undefined): Tensor {
    if (!x) throw new Error(`${what}: a tensor was expected`);
    if (!this.paused) this.all.push({ what, x, values: x.dataSync() });
    return x;
  }

  /** Holds nothing until it is to go on. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  get size(): number {
    return this.all.length;
  }

  /** Memory that was given back is used again first; then all that is held has to be as it was. */
  check(): void {
    for (const { x } of this.all) for (let k = 0; k < 4; k++) tensor(new Float32Array(x.size).fill(777));
    for (const { what, x, values } of this.all) {
      expect(x.dataSync(), what).toEqual(values);
      expect(x.mul(1).dataSync(), `${what}, used`).toEqual(values);
    }
  }
}
