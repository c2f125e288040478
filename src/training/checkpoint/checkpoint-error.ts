import type { Source } from '../../io/safetensors.ts';
import { GammaBetaError } from '../../tensor/errors.ts';

/** A checkpoint cannot be made, read or restored. The model, optimizer, loader and generators are unchanged. */
export class CheckpointError extends GammaBetaError {
  override name = 'CheckpointError';
}

/** What is read or written by the function `op`, whose errors are {@link CheckpointError}. Without a path, it is the data. */
export function checkpointSource(op: string, path?: string): Source {
  return {
    name: path ?? 'the data',
    kind: 'checkpoint',
    wanted:
      path === undefined
        ? 'pass the bytes of encodeCheckpoint, or of a file that saveCheckpoint wrote'
        : 'give the path of a file that saveCheckpoint wrote',
    failure: (problem, hint, options) => new CheckpointError(op, problem, hint, options),
  };
}
