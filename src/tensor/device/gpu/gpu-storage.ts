/** Memory on a GPU, which is there only when the queue has come so far. */
import { type Device, type DType, Storage } from '../device.ts';
import { DeviceError, type GammaBetaError } from '../../errors.ts';
import type { Handle } from './gpu-js.ts';

/** What lies behind a storage. Apart from it, so that it outlives it until its memory is freed. */
export interface Slot {
  /** Null until the queue has come so far. */
  handle: Handle | null;
  /** Why there is no handle: it, or what it was to be computed from, failed. */
  error: GammaBetaError | null;
}

export const emptySlot = (): Slot => ({ handle: null, error: null });

/** A tensor's memory on a GPU. */
export class GpuStorage extends Storage {
  readonly dtype: DType = 'float32';
  readonly size: number;
  readonly home: Device;
  readonly slot: Slot = emptySlot();
  freed = false;
  /** The values as they were uploaded, until a kernel runs on them: so long they can be read at once. */
  host: Float32Array | null = null;

  constructor(size: number, home: Device) {
    super();
    this.size = size;
    this.home = home;
  }
}

/** What a slot holds, for work whose turn has come. */
export function handleOf({ handle, error }: Slot): Handle {
  if (error !== null) throw error;
  if (handle !== null) return handle;
  throw new DeviceError(
    'gpu',
    'a tensor was freed while it was needed',
    'this is a bug in gammabeta: please report it',
  );
}
