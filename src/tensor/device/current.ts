/** The current device, on which new tensors are made. */
import { cpu } from './cpu.ts';
import type { Device, DeviceName } from './device.ts';
import { DeviceError } from '../errors.ts';
import { openWasm } from './wasm/open-wasm.ts';

/** A device that was passed over, and the reason. */
export interface PassedOver {
  readonly device: DeviceName;
  readonly reason: string;
}

/** The chosen device, and the faster devices that are not available. */
export interface Choice {
  readonly device: Device;
  readonly passedOver: readonly PassedOver[];
}

let choice: Choice | null = null;

/** The choice of `useDevice`. Before its first call: `wasm`, or `cpu` if `wasm` is not available. */
export function currentChoice(): Choice {
  return (choice ??= byDefault());
}

export function currentDevice(): Device {
  return currentChoice().device;
}

export function choose(chosen: Choice): void {
  choice = chosen;
}

/** The devices that were opened. Each is opened once and reused, so that its tensors stay valid. */
export const opened: Map<DeviceName, Device> = new Map<DeviceName, Device>([['cpu', cpu]]);

function byDefault(): Choice {
  try {
    const device = opened.get('wasm') ?? openWasm();
    opened.set('wasm', device);
    return { device, passedOver: [] };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { device: cpu, passedOver: [{ device: 'wasm', reason: error.problem }] };
  }
}
