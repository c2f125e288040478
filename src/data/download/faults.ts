import { codeOf, reasonOf } from '../files/files.ts';

/** That an address did not give what it should; the message is the reason, to be listed beside the address. */
export class AddressFault extends Error {
  /** Whether it is worth connecting again: the connection broke, rather than being answered with a refusal. */
  readonly broken: boolean;

  constructor(message: string, broken = false) {
    super(message);
    this.broken = broken;
  }
}

/** That the disk refused. No other address helps against it. */
export class DiskFault extends Error {
  readonly path: string;
  readonly code: string | undefined;

  constructor(path: string, cause: unknown) {
    super(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
    this.path = path;
    this.code = codeOf(cause);
  }
}
