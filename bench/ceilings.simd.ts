/**
 * The two limits of a kernel's speed: a loop of multiply-adds on registers, and a copy of arrays that are far larger
 * than L2. This is AssemblyScript, built like the kernels; see `ceilings.ts`.
 */
import { madd, VECTOR } from '../kernels/simd/vector';

/**
 * Twelve chains of c ← b + c·a, n times each. Twelve are enough to hide the latency of a multiply-add, and few enough
 * for the 16 registers of x64. Each step of a chain needs the one before, so the compiler can remove none. Memory holds
 * a, b, and the twelve c.
 */
export function multiplyAdd(values: usize, n: i32): void {
  const a = v128.load(values);
  const b = v128.load(values, VECTOR);
  let c0 = v128.load(values, 2 * VECTOR);
  let c1 = v128.load(values, 3 * VECTOR);
  let c2 = v128.load(values, 4 * VECTOR);
  let c3 = v128.load(values, 5 * VECTOR);
  let c4 = v128.load(values, 6 * VECTOR);
  let c5 = v128.load(values, 7 * VECTOR);
  let c6 = v128.load(values, 8 * VECTOR);
  let c7 = v128.load(values, 9 * VECTOR);
  let c8 = v128.load(values, 10 * VECTOR);
  let c9 = v128.load(values, 11 * VECTOR);
  let c10 = v128.load(values, 12 * VECTOR);
  let c11 = v128.load(values, 13 * VECTOR);
  for (let i = 0; i < n; i++) {
    c0 = madd(c0, a, b);
    c1 = madd(c1, a, b);
    c2 = madd(c2, a, b);
    c3 = madd(c3, a, b);
    c4 = madd(c4, a, b);
    c5 = madd(c5, a, b);
    c6 = madd(c6, a, b);
    c7 = madd(c7, a, b);
    c8 = madd(c8, a, b);
    c9 = madd(c9, a, b);
    c10 = madd(c10, a, b);
    c11 = madd(c11, a, b);
  }
  v128.store(values, c0, 2 * VECTOR);
  v128.store(values, c1, 3 * VECTOR);
  v128.store(values, c2, 4 * VECTOR);
  v128.store(values, c3, 5 * VECTOR);
  v128.store(values, c4, 6 * VECTOR);
  v128.store(values, c5, 7 * VECTOR);
  v128.store(values, c6, 8 * VECTOR);
  v128.store(values, c7, 9 * VECTOR);
  v128.store(values, c8, 10 * VECTOR);
  v128.store(values, c9, 11 * VECTOR);
  v128.store(values, c10, 12 * VECTOR);
  v128.store(values, c11, 13 * VECTOR);
}

/** Copies whole cache lines in vectors, as a kernel does. */
export function copyVectors(to: usize, from: usize, bytes: usize): void {
  const end = from + bytes;
  for (; from < end; from += 4 * VECTOR) {
    const v0 = v128.load(from);
    const v1 = v128.load(from, VECTOR);
    const v2 = v128.load(from, 2 * VECTOR);
    const v3 = v128.load(from, 3 * VECTOR);
    v128.store(to, v0);
    v128.store(to, v1, VECTOR);
    v128.store(to, v2, 2 * VECTOR);
    v128.store(to, v3, 3 * VECTOR);
    to += 4 * VECTOR;
  }
}

/** Copies with the WebAssembly instruction `memory.copy`. */
export function copyMemory(to: usize, from: usize, bytes: usize): void {
  memory.copy(to, from, bytes);
}
