/** Starts worker threads, in Node and in pages. The types of the two would declare far more than is used here. */
import { INTS, serve, type Start, STARTING } from './worker.ts';

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

/** A global of Node. */
interface Platform {
  readonly process?: {
    readonly getBuiltinModule?: (name: 'worker_threads') => {
      readonly Worker: new (code: string, options: object) => NodeWorker;
    };
  };
}

/** A global of pages. Bundlers look for `new Worker`, so it has no other name here. */
declare const Worker: new (url: string | URL, options?: { readonly type: 'module' }) => PageWorker;

/** Only Node has it. */
const nodeThreads = (globalThis as Platform).process?.getBuiltinModule?.('worker_threads');

export const startWorker: StartWorker = (start, ended) => {
  let stopped = false;
  const failed = (reason: string) => {
    if (!stopped) warnOfLoss(reason);
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

/**
 * Starts a worker of a page from its text, which needs no file. A content security policy may refuse that; then from the
 * file that a bundler has found.
 */
function inPage(start: Start, failed: (reason: string) => void): { terminate(): unknown } {
  if (typeof Worker === 'undefined') throw new Error('there is no Worker');
  let worker: PageWorker | null = null;
  const open = (make: () => PageWorker, refused: (reason: string) => void): void => {
    try {
      worker = make();
      worker.onerror = ({ message }) => {
        const started = Atomics.load(start.control, INTS * start.place) !== STARTING;
        (started ? failed : refused)(message ?? REFUSED);
      };
      worker.postMessage(start);
    } catch (error) {
      refused(messageOf(error));
    }
  };
  open(fromText, () => {
    open(fromFile, failed);
  });
  return { terminate: () => worker?.terminate() };
}

const REFUSED =
  'its script was refused; the content security policy must allow worker-src blob:, or a bundler such as Vite or webpack ' +
  'must have made a file of it';

function fromText(): PageWorker {
  const code = `onmessage = ({ data }) => (${String(serve)})(data)`;
  return new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
}

const fromFile = (): PageWorker =>
  new Worker(new URL('./worker-file.ts', import.meta.url), { type: 'module' });

let warned = false;

/** Warns once: the results are the same with fewer threads. */
export function warnOfLoss(reason: string): void {
  if (warned) return;
  warned = true;
  console.warn(`wasm: a worker thread ended or did not start: ${reason}; the others do its work`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
