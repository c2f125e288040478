/** The current device, on which new tensors are made. */
import type { Choice } from './choice.ts';
import { cpu } from './cpu.ts';
import type { Device, DeviceName } from './device.ts';
import { DeviceError, expectOneOf } from '../errors.ts';
import { openWasm } from './wasm/open-wasm.ts';

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

/**
 * The device of a name. `cpu` and `wasm` are opened if they are not open; opening a GPU takes time. A device is returned
 * as it is. `op` is for error messages.
 *
 * @throws {DeviceError} It is a GPU that is not open, or `wasm` is not available.
 */
export function deviceFor(op: string, device: DeviceName | Device): Device {
  if (typeof device === 'object' && 'upload' in Object(device)) return device;
  const name = expectOneOf(op, 'device', device as DeviceName, ['cpu', 'wasm', 'webgl', 'webgpu']);
  const found = name === 'wasm' ? wasm() : opened.get(name);
  if (found !== undefined) return found;
  throw new DeviceError(op, `the device '${name}' is not open`, `await useDevice('${name}') opens it`);
}

function wasm(): Device {
  const device = opened.get('wasm') ?? openWasm();
  opened.set('wasm', device);
  return device;
}

function byDefault(): Choice {
  try {
    return { device: wasm(), passedOver: [] };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { device: cpu, passedOver: [{ device: 'wasm', reason: error.problem }] };
  }
}
