/** Builds and packs the package once for all tests in this folder, before the first of them. */
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import packageJson from '../../package.json' with { type: 'json' };

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of the packed tarball. */
    readonly tarball: string;
  }
}

const run = promisify(execFile);

export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'gammabeta-package-'));
  project.provide('tarball', await pack(folder));
  return () => rmSync(folder, { recursive: true });
}

/**
 * Builds the package in a folder of its own, so that `dist` in the repository stays as it is.
 *
 * @returns The path of the tarball.
 */
export async function pack(folder: string): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  const copy = join(folder, 'package');
  const built = run(
    process.execPath,
    ['node_modules/tsx/dist/cli.mjs', 'src/build/build.ts', join(copy, 'dist')],
    {
      cwd: root,
    },
  );
  for (const name of readdirSync(root)) {
    const top = packageJson.files.some((pattern) => pattern.split('/')[0] === name);
    if (top && name !== 'dist') cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  for (const name of ['package.json', 'README.md', 'LICENSE'])
    copyFileSync(join(root, name), join(copy, name));
  await built;
  const options = ['--ignore-scripts', '--silent', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', ...options], { cwd: copy });
  return join(folder, stdout.trim());
}
