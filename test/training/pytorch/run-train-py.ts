/** Runs the `train.py` of exported folders, in one process of PyTorch or in two. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TrainRun {
  readonly directory: string;
  readonly arguments: readonly string[];
}

/**
 * Trains in each folder. With two processes, they are started as `torchrun` starts them, and meet on the loopback address.
 *
 * @returns What the first process printed.
 */
export async function runTrainPy(
  python: string,
  runs: readonly TrainRun[],
  processes: 1 | 2,
): Promise<string> {
  const port = String(await freePort());
  const program = join(import.meta.dirname, 'run_exports.py');
  const list = JSON.stringify(runs);
  const outputs = Array.from({ length: processes }, async (_, rank) => {
    const group = {
      WORLD_SIZE: String(processes),
      RANK: String(rank),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: port,
    };
    const settings = { CUDA_VISIBLE_DEVICES: '', OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
    const env = { ...process.env, ...settings, ...(processes > 1 && group) };
    const { stdout } = await promisify(execFile)(python, [program, list], { env });
    return stdout;
  });
  const [first] = await Promise.all(outputs);
  return first;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
