import { expect, it } from 'vitest';
import { DataError, GammaBetaError } from '../../src/index.ts';

it('DataError is a GammaBetaError with a cause', () => {
  const cause = new Error('below');
  const error = new DataError('parseIdx', 'the file is empty: 0 bytes', 'get it again', { cause });
  expect(error.message).toBe('parseIdx: the file is empty: 0 bytes. Hint: get it again');
  expect(error).toMatchObject({ name: 'DataError', op: 'parseIdx', hint: 'get it again', cause });
  expect(error.problem).toBe('the file is empty: 0 bytes');
  expect(error).toBeInstanceOf(GammaBetaError);
  expect(String(error)).toBe(`DataError: ${error.message}`);
  expect(new DataError('split', 'a', 'b')).not.toHaveProperty('cause');
});
