/** Starts child processes that can be interrupted. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly interrupt: () => void;
  /** Waits until stdout or stderr contains the text. */
  readonly prints: (text: string | RegExp) => Promise<void>;
  readonly ending: Promise<Ending>;
}

export interface Place {
  readonly cwd: string;
  /** Additional environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of this process without data folders, and with `env`. */
export function environment(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const others = { ...process.env, ...env };
  delete others.MNIST_DIR;
  delete others.CIFAR10_DIR;
  return others;
}

/** Starts Node with these arguments. After the test, the process is killed if it still runs. */
export function startNode(args: readonly string[], { cwd, env }: Place): Running {
  const child = spawn(process.execPath, args, { cwd, env: environment(env) });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ending = new Promise<Ending>((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return {
    interrupt: () => void child.kill('SIGINT'),
    prints: async (text) => {
      while (!(stdout + stderr).match(text)) {
        if (child.exitCode !== null)
          throw new Error(`the process ended without printing ${String(text)}: ${stdout}${stderr}`);
        await sleep(10);
      }
    },
    ending,
  };
}
