import type { Source } from '../../io/safetensors.ts';
import { GammaBetaError } from '../../tensor/errors.ts';

/** A checkpoint cannot be made, read or restored. The model, optimizer, loader and generators are unchanged. */
export class CheckpointError extends GammaBetaError {
  override name = 'CheckpointError';
}

/** What is read or written by the function `op`, whose errors are {@link CheckpointError}. `name` is a path, or the data. */
export function checkpointSource(op: string, name = 'the data'): Source {
  return {
    name,
    kind: 'checkpoint',
    wanted: 'give the path of a file written by saveCheckpoint, or the bytes of encodeCheckpoint',
    failure: (problem, hint, options) => new CheckpointError(op, problem, hint, options),
  };
}
