/** Runs the examples as a user does, for their tests. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '../..');

/** The folder with the files of MNIST, which this machine may not have. */
export const mnistDir: string = process.env.MNIST_DIR ?? join(root, '..', 'shared', 'data', 'mnist');
export const hasMnist: boolean = existsSync(mnistDir);

export interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of this process, without data folders and with an empty cache. */
export function exampleEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env, GAMMABETA_CACHE: join(root, 'test', '.cache', 'no-data') };
  return { ...environment, MNIST_DIR: undefined, CIFAR10_DIR: undefined };
}

/** Runs a file of `examples/` with tsx in {@link exampleEnvironment}, and waits for its end. */
export function runExample(file: string, ...args: string[]): Output {
  return spawnSync(process.execPath, ['--import', 'tsx', join('examples', file), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: exampleEnvironment(),
  });
}
