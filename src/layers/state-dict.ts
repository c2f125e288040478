/** What is saved of a model. `load-state-dict.ts` checks and loads it. */
import type { Shape } from '../../kernels/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Parameters and buffers by name. The names are PyTorch's, such as `1.running_mean`. */
export type StateDict = Record<string, Tensor>;

export interface LoadStateOptions {
  /** Whether missing and unexpected entries are errors; otherwise they are ignored. Default true. */
  readonly strict?: boolean;
}

/** An entry of the state dict, with functions that read and overwrite it. */
export interface Slot {
  readonly shape: Shape;
  /** The tensor, for an entry that is one. */
  readonly held?: Tensor;
  /** True for a parameter, which an optimizer updates; false for a buffer. */
  readonly trained?: boolean;
  /** The least value of a tensor, such as 0 for a variance. Default: any value. */
  readonly least?: number | undefined;
  readonly read: () => Tensor;
  /** For an entry that is no tensor: throws {@link ValueError} if `write` cannot take this source. */
  readonly check?: (source: Tensor) => void;
  readonly write: (source: Tensor) => void;
}

/**
 * What training tells of the batch that it is computing. The forward pass changes buffers, the optimizer's step then the
 * parameters; a state dict is of one moment, between batches.
 */
export interface Underway {
  /** Throws if a batch is being computed from these entries, which `op` is about to load. */
  expectNone?: (op: string, slots: ReadonlyMap<string, Slot>) => void;
  /** The value that a buffer had before the batch; undefined for all other entries. */
  before?: (slot: Slot) => Tensor | undefined;
}
