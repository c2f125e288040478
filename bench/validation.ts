/**
 * Validates in a separate process. Validation also runs the references in float64, and an engine that has seen a loop
 * with both element types compiles it for both. Timed in the same process, the loop would be slower than in a program
 * that trains in float32.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { FormName } from './forms.ts';
import { DisagreesError } from './validate.ts';

/** The form, and the index in `subjects`, to validate. */
export interface Request {
  readonly form: FormName;
  readonly subject: number;
}

/** A `problem` describes a wrong result, and null means that it is right; a `failure` is an error in the process. */
export type Reply = { readonly problem: string | null } | { readonly failure: string };

export class Validation {
  private readonly process: ChildProcess = fork(join(import.meta.dirname, 'validation-process.ts'));

  /** @throws {DisagreesError} The result is wrong. */
  async validate(request: Request): Promise<void> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      const ended = (code: number | null) => {
        reject(new Error(`validation: the process ended with ${String(code)}`));
      };
      this.process.once('exit', ended);
      this.process.once('message', (answer: Reply) => {
        this.process.off('exit', ended);
        resolve(answer);
      });
      this.process.send(request, (error) => {
        if (error !== null) reject(error);
      });
    });
    if ('failure' in reply) throw new Error(reply.failure);
    if (reply.problem !== null) throw new DisagreesError(reply.problem);
  }

  close(): void {
    this.process.kill();
  }
}
