/**
 * Validation in a process of its own. There the references run in float64 too, and an engine that has seen a
 * loop with both element types compiles it for both: timed in the same process, it would be slower than it
 * is in a program that trains in float32.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { FormName } from './forms.ts';
import { DisagreesError } from './validate.ts';

/** What is to be validated: by its index in `subjects`. */
export interface Request {
  readonly form: FormName;
  readonly subject: number;
}

/** What is wrong with it, if anything is; or why that could not be found out. */
export type Reply = { readonly problem: string | null } | { readonly failure: string };

export class Validation {
  private readonly process: ChildProcess = fork(join(import.meta.dirname, 'validation-process.ts'));

  /** @throws {DisagreesError} Its result is wrong. */
  async validate(request: Request): Promise<void> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      const ended = (code: number | null) => {
        reject(new Error(`the validating process ended with ${String(code)}`));
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
