/** The device on which new tensors are made. */
import { cpu } from './cpu.ts';
import type { Device, DeviceName } from './device.ts';
import { DeviceError } from '../errors.ts';
import { openWasm } from './wasm/open-wasm.ts';

/** A device that was not chosen, and why. */
export interface PassedOver {
  readonly device: DeviceName;
  readonly reason: string;
}

/** The devices that were opened: each is opened once, and keeps its memory. */
export const opened: Map<DeviceName, Device> = new Map<DeviceName, Device>();

let current: Device | null = null;
let skipped: readonly PassedOver[] = [];

/** The device on which new tensors are made; before `useDevice`, `wasm` where it works, else `cpu`. */
export function currentDevice(): Device {
  return (current ??= byDefault());
}

/** What was passed over on the way to the current device. */
export function passedOver(): readonly PassedOver[] {
  return skipped;
}

export function setCurrentDevice(device: Device, without: readonly PassedOver[]): void {
  current = device;
  skipped = without;
}

function byDefault(): Device {
  try {
    skipped = [];
    return remembered('wasm', openWasm);
  } catch (error) {
    skipped = [{ device: 'wasm', reason: reasonOf(error) }];
    return remembered('cpu', () => cpu);
  }
}

function remembered(name: DeviceName, open: () => Device): Device {
  const device = opened.get(name) ?? open();
  opened.set(name, device);
  return device;
}

/** Why a device is not available; other errors are thrown on. */
export function reasonOf(error: unknown): string {
  if (error instanceof DeviceError) return error.problem;
  throw error;
}
