/** What `useDevice` chose, and why. */
import type { Device, DeviceName } from './device.ts';

/** A device that was passed over, and the reason. */
export interface PassedOver {
  readonly device: DeviceName;
  readonly reason: string;
}

/** The time of a training step on a device. */
export interface StepTime {
  readonly device: DeviceName;
  readonly milliseconds: number;
}

/** The chosen device, the devices that are not available or slower, and the times that decided. */
export interface Choice {
  readonly device: Device;
  readonly passedOver: readonly PassedOver[];
  readonly measured?: readonly StepTime[];
}
