/** At which size a kernel or a fusion is timed, and with which values. */
import type { Params, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Device, Storage } from '../../src/tensor/device/device.ts';
import { seededStream, type Stream } from '../../src/tensor/random.ts';

/** How one value of an input is drawn. */
export type Draw = (stream: Stream) => number;

export interface BenchmarkCase<P extends Params = Params> {
  /** Of the inputs. */
  readonly shapes: readonly Shape[];
  readonly params: P;
  /** One for each input; normal values by default. */
  readonly draws?: readonly Draw[];
  /** What the values are, where less is to do for these than for others. */
  readonly values?: string;
  /** The inputs that are kept in float64, as kernels marked `statistic` put them out; by their index. */
  readonly statistics?: readonly number[];
  /** Into the first input, as optimizers do. */
  readonly inPlace?: boolean;
}

export const normal: Draw = (stream) => stream.normal();
export const positive: Draw = (stream) => 0.5 + stream.uniform();

/** Four of five are 0, as in an image of a digit. */
export const ink: Draw = (stream) => (stream.uniform() < 0.2 ? stream.uniform() : 0);

/** An integer from 0 to n − 1. */
export const below =
  (n: number): Draw =>
  (stream) =>
    Math.floor(n * stream.uniform());

/** `32×784 784×300`, `32×10 axis 1`, `32×784 784×300 ink`: equal shapes are named once. */
export function sizeName({ shapes, params, values }: BenchmarkCase): string {
  const names = new Set(shapes.map((shape) => shape.join('×')));
  const axis = 'axis' in params ? [`axis ${params.axis}`] : [];
  return [...names, ...axis, ...(values === undefined ? [] : [values])].join(' ');
}

/** The same values in every run, and in float32, so that float64 computes with equal ones. */
export function inputsOf({ shapes, draws = [] }: BenchmarkCase): Float32Array[] {
  const stream = seededStream(1);
  return shapes.map((shape, k) => {
    const draw = k < draws.length ? draws[k] : normal;
    return Float32Array.from({ length: sizeOf(shape) }, () => draw(stream));
  });
}

/** The inputs in a device's memory, statistics in float64. */
export function uploadInputs(benchmark: BenchmarkCase, device: Device): readonly Storage[] {
  const { statistics = [] } = benchmark;
  return inputsOf(benchmark).map((values, k) =>
    device.upload(values, statistics.includes(k) ? 'float64' : 'float32'),
  );
}
