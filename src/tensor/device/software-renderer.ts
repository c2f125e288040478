import { DeviceError } from '../errors.ts';

/** The error if the GPU is a software GPU and a hardware GPU is required. */
export function softwareGpu(name: string, adapter: string): DeviceError {
  return new DeviceError(name, `its GPU is software: ${adapter}`, `useDevice('${name}') uses it anyway`);
}
