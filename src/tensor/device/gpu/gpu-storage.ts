/** A tensor's memory on a GPU. It is allocated when the queue runs the task that computes it. */
import type { Device, DType, Storage } from '../device.ts';
import { DeviceError, type GammaBetaError } from '../../errors.ts';
import type { Handle } from './engine.ts';

/** The GPU memory of a storage. It is an object of its own because it has to outlive a storage that is collected. */
export interface Slot {
  /** Null until the task that computes it has run. */
  handle: Handle | null;
  /** The error of the task that was to compute it, or of one of that task's inputs. */
  error: GammaBetaError | null;
}

export const emptySlot = (): Slot => ({ handle: null, error: null });

/** A tensor's memory on a GPU. */
export class GpuStorage implements Storage {
  version = 0;
  readonly dtype: DType = 'float32';
  readonly size: number;
  readonly home: Device;
  readonly slot: Slot = emptySlot();
  freed = false;
  /**
   * A copy of uploaded values that can be read at once. A kernel that reads a large array, or updates any, drops it.
   */
  host: Float32Array | null = null;

  constructor(size: number, home: Device) {
    this.size = size;
    this.home = home;
  }
}

/** The handle of a slot, for a task that the queue runs now. */
export function handleOf({ handle, error }: Slot): Handle {
  if (error !== null) throw error;
  if (handle !== null) return handle;
  throw new DeviceError(
    'gpu',
    'a tensor was freed while it was needed',
    'this is a bug in gammabeta: please report it',
  );
}
