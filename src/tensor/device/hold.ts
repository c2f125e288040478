/** Keeps the current device during training: losses and metrics make tensors on it. */
import { GammaBetaError } from '../errors.ts';

/** A call would change what another asynchronous call, such as `fit`, is using. */
export class BusyError extends GammaBetaError {
  override name = 'BusyError';
}

/** The functions that hold the current device. */
const holders: string[] = [];

/** Forbids `useDevice` until the returned function is called. `by` is for error messages. */
export function holdDevice(by: string): () => void {
  holders.push(by);
  return () => void holders.splice(holders.indexOf(by), 1);
}

/** @throws {BusyError} The current device is held. */
export function expectNotHeld(): void {
  if (holders.length === 0) return;
  throw new BusyError('useDevice', `${holders[0]} is running`, 'choose the device before or after training');
}
