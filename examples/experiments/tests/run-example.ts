import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** Where real MNIST is, if anywhere. */
export const mnistDir: string = process.env.MNIST_DIR ?? join(root, '..', 'shared', 'data', 'mnist');
export const hasMnist: boolean = existsSync(mnistDir);

export interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** That of this process, but without any data. */
export function exampleEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env, GAMMABETA_CACHE: join(root, 'test', '.cache', 'no-data') };
  return { ...environment, MNIST_DIR: undefined, CIFAR10_DIR: undefined };
}

/** Runs an example as its npm script does, with its output on a pipe, without any data and with an empty cache. */
export function runExample(file: string, ...args: string[]): Output {
  return spawnSync(process.execPath, ['--import', 'tsx', join('examples', file), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: exampleEnvironment(),
  });
}
