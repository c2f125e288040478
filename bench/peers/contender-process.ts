/** The driver's side of the protocol that `contenders/serve.js` describes: each contender is a separate process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { GammaBetaError } from '../../src/index.ts';
import type { Results } from './agreement.ts';
import type { Launch } from './contenders.ts';
import { readTensors, type TensorList } from './contenders/tensor-file.js';
import type { WorkloadRequest } from './workloads.ts';

/** A contender's description of itself. */
export interface Description {
  readonly version: string;
  readonly backend: string;
  readonly threads: number;
  /** A reason why it is slower than it could be, and what to do. */
  readonly warning?: string | null;
}

interface Verified {
  readonly losses?: readonly number[] | null;
  readonly outputs: TensorList;
}

/** The time limit of a request in milliseconds. An epoch on a slow device takes minutes. */
const TIMEOUT = 30 * 60 * 1000;

export class ContenderProcess {
  private readonly name: string;
  private readonly child: ChildProcess;
  /** The promise that the next line settles. */
  private settle: { resolve: (line: string) => void; reject: (error: Error) => void } | null = null;
  private ended: string | null = null;
  private stderr = '';

  constructor(name: string, { command, args, env }: Launch) {
    this.name = name;
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes');
    stdin.on('error', () => undefined); // the process has ended; its own error says more
    stderr.on('data', (text: Buffer) => (this.stderr = (this.stderr + text.toString()).slice(-4000)));
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.settle?.resolve(line); // other lines are messages of a library
    });
    this.child.on('error', (error) => this.end(error.message));
    this.child.on('close', (code, signal) =>
      this.end(`the process ended with ${signal ?? code ?? 'nothing'}`),
    );
  }

  describe(): Promise<Description> {
    return this.request('describe');
  }

  async prepare(workload: WorkloadRequest, inputs: TensorList): Promise<void> {
    await this.request('prepare', { workload, inputs });
  }

  /** @param output The file through which the process sends its results. */
  async verify(output: string): Promise<Results> {
    const { losses = null, outputs } = await this.request<Verified>('verify', { output });
    return { losses, tensors: readTensors(outputs) };
  }

  /** The total seconds of all iterations. */
  async time(iterations: number): Promise<number> {
    const { seconds } = await this.request<{ seconds: number }>('time', { iterations });
    return seconds;
  }

  epoch(): Promise<Record<string, number>> {
    return this.request('epoch');
  }

  close(): void {
    this.child.kill();
  }

  private async request<Reply extends object>(op: string, args: object = {}): Promise<Reply> {
    const line = await new Promise<string>((resolve, reject) => {
      if (this.ended !== null) throw this.failure(op, this.ended);
      const timer = setTimeout(() => {
        this.close();
        reject(this.failure(op, `no answer within ${TIMEOUT / 60000} minutes`));
      }, TIMEOUT);
      const settled = () => {
        clearTimeout(timer);
        this.settle = null;
      };
      this.settle = {
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(this.failure(op, error.message));
        },
      };
      this.child.stdin?.write(`${JSON.stringify({ op, ...args })}\n`);
    });
    const reply = JSON.parse(line) as Reply | { readonly error: string };
    if ('error' in reply) throw this.failure(op, reply.error);
    return reply;
  }

  private end(reason: string): void {
    if (this.ended !== null) return;
    const lines = this.stderr.trim().split('\n');
    // Python prints the error in the last line of its trace, Node before the trace.
    const said = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
    this.ended = said === '' ? reason : `${reason}: ${said.trim()}`;
    this.settle?.reject(new Error(this.ended));
  }

  private failure(op: string, reason: string): GammaBetaError {
    return new GammaBetaError(
      this.name,
      `failed to ${op}: ${reason}`,
      'the program of this contender is in bench/peers/contenders',
    );
  }
}
