import { GammaBetaError } from '../tensor/errors.ts';

/** Data that cannot be used: a file, a folder, a download or a dataset. */
export class DataError extends GammaBetaError {
  override name = 'DataError';
}
