/** What bounds a kernel on this machine, measured: see `ceilings.simd.ts`, of which each build is made here. */
import { join } from 'node:path';
import { type BuildName, compile } from '../kernels/simd/build.ts';
import { time, type TimerOptions } from './timer.ts';

/** In 10⁹ per second. */
export interface Rates {
  /** Operations, of which a multiply-add is two, in registers alone. */
  readonly multiplyAdd: number;
  /** Bytes read and written, vector by vector. */
  readonly copyVectors: number;
  /** Bytes read and written, by `memory.copy`. */
  readonly copyMemory: number;
}

/** Before and after all that is held against them: whether the machine stayed as it was. */
export interface Ceilings {
  readonly form: BuildName;
  readonly before: Rates;
  readonly after: Rates;
}

/** What a kernel cannot exceed: the better of both measurements, and of both ways to copy. */
export function highest({ before, after }: Ceilings): { readonly flops: number; readonly bytes: number } {
  const { max } = Math;
  return {
    flops: 1e9 * max(before.multiplyAdd, after.multiplyAdd),
    bytes: 1e9 * max(before.copyVectors, before.copyMemory, after.copyVectors, after.copyMemory),
  };
}

/** The parts of WebAssembly that are used here, as in `src/tensor/device/wasm/open-wasm.ts`. */
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
/** Of each of the two arrays. */
const COPIED = 64 * MB;
/** Behind what the module may use itself. */
const FROM = MB;
const TO = FROM + COPIED;

/** 12 chains of 4 lanes, of one multiplication and one addition. */
const FLOPS_PER_TURN = 12 * 4 * 2;
const TURNS = 1e5;

/** Compiles a build, and gives the function that measures its rates. */
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
    if (lastCopied[0] !== 0) throw new Error('ceilings: nothing was copied');
    return (2 * COPIED) / seconds / 1e9;
  };

  return async (options) => {
    values.fill(0);
    values.fill(0.5, 0, 4).fill(1, 4, 8); // c ← 1 + c/2, which tends to 2: no overflow, no denormals
    const { seconds } = await time(() => multiplyAdd(FROM, TURNS), options);
    if (values.subarray(8).some((c) => c !== 2)) throw new Error('ceilings: the chains are wrong');
    return {
      multiplyAdd: (TURNS * FLOPS_PER_TURN) / seconds / 1e9,
      copyVectors: await copied(copyVectors, options),
      copyMemory: await copied(copyMemory, options),
    };
  };
}
