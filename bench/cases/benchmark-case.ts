/** The size and the values with which a kernel or a fusion is timed. */
import type { Params, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Device, Storage } from '../../src/tensor/device/device.ts';
import type { Stream } from '../../src/tensor/random.ts';
import { seededStream } from '../../src/tensor/seed.ts';

/** Draws one value of an input. */
export type Draw = (stream: Stream) => number;

export interface BenchmarkCase<P extends Params = Params> {
  /** The shapes of the inputs. */
  readonly shapes: readonly Shape[];
  readonly params: P;
  /** The distribution of each input; normal by default. */
  readonly draws?: readonly Draw[];
  /** The name of special values that make the computation cheaper, such as zeros. */
  readonly values?: string;
  /** The indices of inputs in float64: outputs of kernels that are marked `statistic`. */
  readonly statistics?: readonly number[];
  /** Writes the result into the first input, as optimizers do. */
  readonly inPlace?: boolean;
}

export const normal: Draw = (stream) => stream.normal();
export const positive: Draw = (stream) => 0.5 + stream.uniform();

/** Four of five values are 0, as in an image of a digit. */
export const ink: Draw = (stream) => (stream.uniform() < 0.2 ? stream.uniform() : 0);

/** An integer from 0 to n − 1. */
export const below =
  (n: number): Draw =>
  (stream) =>
    Math.floor(n * stream.uniform());

/** `32×784 784×300`, `32×10 axis 1`, `64×512 512 8 groups` or `32×784 784×300 ink`; equal shapes are listed once. */
export function sizeName({ shapes, params, values }: BenchmarkCase): string {
  const names = new Set(shapes.map((shape) => shape.join('×')));
  const axis = 'axis' in params ? [`axis ${params.axis}`] : [];
  const groups = 'groups' in params && params.groups > 1 ? [`${params.groups} groups`] : [];
  return [...names, ...axis, ...groups, ...(values === undefined ? [] : [values])].join(' ');
}

/** The same values in every run, rounded to float32 so that float32 and float64 start from equal values. */
export function inputsOf({ shapes, draws = [] }: BenchmarkCase): Float32Array[] {
  const stream = seededStream(1);
  return shapes.map((shape, k) => {
    const draw = k < draws.length ? draws[k] : normal;
    return Float32Array.from({ length: sizeOf(shape) }, () => draw(stream));
  });
}

/** Uploads the inputs to a device, with statistics in float64. */
export function uploadInputs(benchmark: BenchmarkCase, device: Device): readonly Storage[] {
  const { statistics = [] } = benchmark;
  return inputsOf(benchmark).map((values, k) =>
    device.upload(values, statistics.includes(k) ? 'float64' : 'float32'),
  );
}
