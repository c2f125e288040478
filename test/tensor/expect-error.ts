/** Asserts the class, the form and the message of errors. */
import { expect } from 'vitest';
import type { GammaBetaError } from '../../src/tensor/errors.ts';

type ErrorClass = abstract new (...args: never[]) => GammaBetaError;

/** Expects `fn` to throw an error of exactly this class, of the form `op: problem. Hint: what to do`, that matches. */
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

/** Expects a promise to reject with such an error. */
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
