/** The types of the workloads of a library in JavaScript, for programs in TypeScript. */
import type { NamedTensor } from './tensor-file.js';

export interface Task {
  /** The timed work. */
  iterate(): unknown;
  /** Waits until everything that `iterate` started is computed. */
  settle(): Promise<unknown>;
  verify(): Promise<{
    readonly losses?: readonly number[];
    readonly tensors: Readonly<Record<string, NamedTensor>>;
  }>;
}

/** Functions that prepare a workload, by its kind. */
export type Workloads = Readonly<
  Record<string, (request: object, inputs: Readonly<Record<string, NamedTensor>>) => Task | Promise<Task>>
>;

export function workloadsOf(gammabeta: object): Workloads;
