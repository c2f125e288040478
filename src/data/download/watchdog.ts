import { AddressFault } from './faults.ts';
import { reasonOf } from '../files/files.ts';

/** Ends what takes too long, and says what it was; ends it too when the caller's signal does. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#follow);
    if (outer?.aborted) this.#follow();
  }

  /** For `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has to happen within that time, else it is this that went wrong; `broken` as in the fault. */
  expect(ms: number, otherwise: string, broken: boolean): void {
    this.rest();
    this.#timer = setTimeout(() => {
      this.#controller.abort(new AddressFault(`${otherwise} in ${ms / 1000} s`, broken));
    }, ms);
  }

  /** Nothing is expected for now. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.rest();
    this.#outer?.removeEventListener('abort', this.#follow);
  }

  /** Waits for something of the network's. @throws why it was ended; else {@link AddressFault} for what broke it */
  async guard<T>(action: Promise<T>, broken: boolean): Promise<T> {
    try {
      return await action;
    } catch (error) {
      this.signal.throwIfAborted();
      throw new AddressFault(causeOf(error), broken);
    }
  }

  readonly #follow = (): void => this.#controller.abort(this.#outer?.reason);
}

/** `fetch failed` says nothing; its cause does: `getaddrinfo ENOTFOUND …`, `connect ECONNREFUSED …`. */
function causeOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  if (cause === undefined) return reasonOf(error);
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return reasonOf(cause);
}
