import { expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.ts';

it('has the one form of every error of the library', () => {
  const cause = new Error('below');
  const error = new DataError('parseIdx', 'the file is empty: 0 bytes', 'get it again', { cause });
  expect(error.message).toBe('parseIdx: the file is empty: 0 bytes. Hint: get it again');
  expect(error).toMatchObject({ name: 'DataError', op: 'parseIdx', hint: 'get it again', cause });
  expect(error.problem).toBe('the file is empty: 0 bytes');
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toBe(`DataError: ${error.message}`);
});
