import { GammaBetaError } from '../tensor/errors.ts';

/** Bytes are not in the format that is expected, are cut short or damaged, or cannot hold what is written. */
export class FormatError extends GammaBetaError {
  override name = 'FormatError';
}
