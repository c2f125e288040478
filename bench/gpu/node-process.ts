/** The process that `node.ts` starts and ends: it runs the GPU benchmarks in Node. */
import type { GpuOptions } from './options.ts';
import { runBenchmarks } from './program.ts';
import type { Message } from './server.ts';

const tell = (message: Message) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()));

process.on('SIGINT', () => undefined); // Ctrl-C reaches both processes; the parent ends this one
process.once('message', (options: GpuOptions) => {
  const measured = runBenchmarks(options, `Node ${process.version}`, (soFar, line) =>
    tell({ line: line ?? '', soFar }),
  );
  void measured.then(
    (report) => tell({ report }),
    (error: unknown) =>
      tell({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
