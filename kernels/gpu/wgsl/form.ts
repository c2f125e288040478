/**
 * A kernel for WebGPU alone, written in its shading language WGSL: for what gpu.js cannot say. Such a form shares the
 * memory of a workgroup, loops to bounds that are arguments, and has several outputs.
 */
export interface WgslForm {
  /** The name of its computation, for error messages. */
  readonly name: string;
  /** The names of the arrays that it reads, in order. */
  readonly reads: readonly string[];
  /** The names of the arrays that it writes: outputs, then arrays that it updates in place. */
  readonly writes: readonly string[];
  /** The names of its integers, which the code reads as `u.name`. */
  readonly sizes: readonly string[];
  /** The names of its other numbers, in float32, which the code reads as `u.name`. */
  readonly numbers?: readonly string[];
  /** WGSL functions, with an entry point `main`. The arrays have their names and hold `f32`. */
  readonly code: string;
}

/** Workgroups along x, y and z. */
export type Workgroups = readonly [x: number, y: number, z: number];

/** The whole module: the declarations of the arguments, then the code. */
export function moduleOf({ reads, writes, sizes, numbers = [], code }: WgslForm): string {
  const array = (access: string) => (name: string, k: number) =>
    `@group(0) @binding(${k}) var<storage, ${access}> ${name}: array<f32>;`;
  return [
    'struct Uniforms {',
    ...sizes.map((name) => `  ${name}: u32,`),
    ...numbers.map((name) => `  ${name}: f32,`),
    '}',
    '@group(0) @binding(0) var<uniform> u: Uniforms;',
    ...reads.map((name, k) => array('read')(name, 1 + k)),
    ...writes.map((name, k) => array('read_write')(name, 1 + reads.length + k)),
    code,
  ].join('\n');
}

/** The number of workgroups along one axis is at most this, on every GPU. */
export const MOST_GROUPS = 65_535;

/** ⌈a / b⌉. */
export const parts = (a: number, b: number): number => Math.ceil(a / b);
