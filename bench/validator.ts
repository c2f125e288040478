/** The process that validates: see `validation.ts`, which starts it. Answers each request it is sent. */
import * as kernels from '../kernels/index.ts';
import { useDevice } from '../src/index.ts';
import { currentDevice } from '../src/tensor/devices.ts';
import { cases } from '../test/kernels/cases/index.ts';
import { benchmarkCases } from './kernel-cases.ts';
import { KernelDisagreesError, validate } from './kernels.ts';
import type { Reply, Request } from './validation.ts';

async function answer({ device, name, k }: Request): Promise<Reply> {
  try {
    await useDevice(device);
    await validate(kernels[name], cases[name].at, benchmarkCases[name][k], currentDevice());
    return { problem: null };
  } catch (error) {
    if (error instanceof KernelDisagreesError) return { problem: error.message };
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
