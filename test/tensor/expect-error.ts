/** What an error has to be: of one class, and of the one form. */
import { expect } from 'vitest';
import type { GammaBetaError } from '../../src/tensor/errors.ts';

type ErrorClass = abstract new (...args: never[]) => GammaBetaError;

/** What `fn` throws: of this very class, in the form `op: what. Hint: what to do`, with a message like that. */
export function expectError(fn: () => unknown, kind: ErrorClass, message: RegExp): void {
  let result: unknown;
  try {
    result = fn();
  } catch (error) {
    expectForm(error, kind, message);
    return;
  }
  throw new Error(`${kind.name} ${String(message)} was expected, but nothing was thrown: ${String(result)}`);
}

/** The same of a promise. */
export async function expectRejection(
  promise: Promise<unknown>,
  kind: ErrorClass,
  message: RegExp,
): Promise<void> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  if (outcome === null) throw new Error(`${kind.name} was expected, but nothing was thrown`);
  expectForm(outcome.error, kind, message);
}

function expectForm(error: unknown, kind: ErrorClass, message: RegExp): void {
  if (!(error instanceof kind)) throw error;
  expect(error.constructor).toBe(kind);
  expect(error.name).toBe(kind.name);
  expect(error.message).toMatch(/^.+: .+\. Hint: .+$/);
  expect(error.message.startsWith(`${error.op}: `)).toBe(true);
  expect(error.message.endsWith(`. Hint: ${error.hint}`)).toBe(true);
  expect(error.message).toMatch(message);
}
