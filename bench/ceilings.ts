/** Measures the limits of a kernel's speed on this machine. Compiles `ceilings.simd.ts` once for each build. */
import { join } from 'node:path';
import { type BuildName, compile } from '../kernels/simd/build.ts';
import { time, type TimerOptions } from './timer.ts';

/** All in 10⁹ per second. */
export interface Rates {
  /** Operations on registers; a multiply-add counts as two. */
  readonly multiplyAdd: number;
  /** Bytes read and written by a loop over vectors. */
  readonly copyVectors: number;
  /** Bytes read and written by `memory.copy`. */
  readonly copyMemory: number;
}

/** Measured before and after the kernels; a difference means that the machine's speed changed in between. */
export interface Ceilings {
  readonly form: BuildName;
  readonly before: Rates;
  readonly after: Rates;
}

/** The highest measured rates: the better of both measurements and of both ways to copy. */
export function highest({ before, after }: Ceilings): { readonly flops: number; readonly bytes: number } {
  const { max } = Math;
  return {
    flops: 1e9 * max(before.multiplyAdd, after.multiplyAdd),
    bytes: 1e9 * max(before.copyVectors, before.copyMemory, after.copyVectors, after.copyMemory),
  };
}

/** The part of the WebAssembly API that this file uses; TypeScript's declaration comes with those of a browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
};

type Copy = (to: number, from: number, bytes: number) => void;

interface Exports {
  readonly multiplyAdd: (values: number, n: number) => void;
  readonly copyVectors: Copy;
  readonly copyMemory: Copy;
}

const MB = 2 ** 20;
/** The size of each of the two arrays. */
const COPIED = 64 * MB;
/** The module's own memory lies below. */
const FROM = MB;
const TO = FROM + COPIED;

/** 12 chains of 4 lanes, one multiplication and one addition each. */
const FLOPS_PER_TURN = 12 * 4 * 2;
const TURNS = 1e5;

/** Compiles a build and returns the function that measures its rates. */
export function openCeilings(form: BuildName): (options: TimerOptions) => Promise<Rates> {
  const memory = new WebAssembly.Memory({ initial: (TO + COPIED) / 65536 });
  const module = new WebAssembly.Module(compile(join(import.meta.dirname, 'ceilings.simd.ts'), form));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const { multiplyAdd, copyVectors, copyMemory } = exports;

  const values = new Float32Array(memory.buffer, FROM, 14 * 4);
  const lastCopied = new Uint8Array(memory.buffer, TO + COPIED - 1, 1);
  const copied = async (copy: Copy, options: TimerOptions): Promise<number> => {
    lastCopied[0] = 255;
    const { seconds } = await time(() => copy(TO, FROM, COPIED), options);
    if (lastCopied[0] !== 0) throw new Error('ceilings: the copy did not write its last byte');
    return (2 * COPIED) / seconds / 1e9;
  };

  return async (options) => {
    values.fill(0);
    values.fill(0.5, 0, 4).fill(1, 4, 8); // c ← 1 + c/2 converges to 2, without overflow or denormals
    const { seconds } = await time(() => multiplyAdd(FROM, TURNS), options);
    if (values.subarray(8).some((c) => c !== 2)) throw new Error('ceilings: the multiply-adds are wrong');
    return {
      multiplyAdd: (TURNS * FLOPS_PER_TURN) / seconds / 1e9,
      copyVectors: await copied(copyVectors, options),
      copyMemory: await copied(copyMemory, options),
    };
  };
}
