/** Starts worker threads, in Node and in pages. The types of the two would declare far more than is used here. */
import { serve, type Start } from './worker.ts';

export interface Worker {
  stop(): void;
}

/**
 * Starts a worker. Calls `ended` if it cannot start, or when it has ended. Null if it cannot start.
 */
export type StartWorker = (start: Start, ended: (reason: string) => void) => Worker | null;

interface NodeWorker {
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface PageWorker {
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** Globals of a page, a worker, or Node; none of them exists everywhere. */
interface Platform {
  readonly process?: {
    readonly getBuiltinModule?: (name: 'worker_threads') => {
      readonly Worker: new (code: string, options: object) => NodeWorker;
    };
  };
  readonly Worker?: new (url: string) => PageWorker;
  readonly Blob?: new (parts: string[], options: { readonly type: string }) => object;
  readonly URL?: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
}

const { process, Worker, Blob, URL } = globalThis as Platform;
/** Only Node has it. */
const nodeThreads = process?.getBuiltinModule?.('worker_threads');

export const startWorker: StartWorker = (start, ended) => {
  let stopped = false;
  const failed = (reason: string) => {
    if (!stopped) warn(reason);
    stopped = true;
    ended(reason);
  };
  try {
    const worker = nodeThreads === undefined ? inPage(start, failed) : inNode(start, failed);
    return {
      stop: () => {
        stopped = true;
        worker.terminate();
      },
    };
  } catch (error) {
    failed(messageOf(error));
    return null;
  }
};

function inNode(start: Start, failed: (reason: string) => void): { terminate(): unknown } {
  if (nodeThreads === undefined) throw new Error('there is no worker_threads');
  const code = `(${String(serve)})(require('node:worker_threads').workerData)`;
  // Without options of the command line and variables of the environment, which may load other code.
  const worker = new nodeThreads.Worker(code, { eval: true, workerData: start, execArgv: [], env: {} });
  worker.on('error', (error) => {
    failed(messageOf(error));
  });
  worker.on('exit', (code) => {
    failed(`exit code ${code}`);
  });
  worker.unref();
  return worker;
}

function inPage(start: Start, failed: (reason: string) => void): { terminate(): unknown } {
  if (Worker === undefined || Blob === undefined || URL === undefined) throw new Error('there is no Worker');
  const code = `onmessage = ({ data }) => (${String(serve)})(data)`;
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onerror = ({ message }) => {
    failed(message ?? 'its script was refused; a content security policy must allow worker-src blob:');
  };
  worker.postMessage(start);
  return worker;
}

let warned = false;

/** Warns once: the results are the same with fewer threads. */
function warn(reason: string): void {
  if (warned) return;
  warned = true;
  console.warn(`wasm: a worker thread ended or did not start: ${reason}; the others do its work`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
