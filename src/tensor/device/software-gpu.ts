import { DeviceError } from '../errors.ts';

/** The error for a software GPU where a hardware GPU is required. */
export function softwareGpu(name: string, adapter: string): DeviceError {
  return new DeviceError(
    name,
    `its GPU is software: ${adapter}`,
    `useDevice('${name}') uses it all the same`,
  );
}
