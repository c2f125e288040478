import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { measureInPyTorch } from '../gpu/pytorch.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Makes a program that is used as Python: `check` is its exit status for `-c`, `run` the rest of its text. */
async function usePython(check: number, run: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gammabeta-python-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const python = join(folder, 'python');
  await writeFile(python, `#!/bin/sh\nif [ "$1" = -c ]; then exit ${check}; fi\n${run}\n`);
  await chmod(python, 0o755);
  vi.stubEnv('PYTHON', python);
}

const { signal } = new AbortController();

describe.skipIf(process.platform === 'win32')('PyTorch on CUDA', () => {
  it('is measured by the script, whose report is returned', async () => {
    await usePython(0, `echo "{\\"arguments\\": \\"$1 $3 $5\\"}" > "$4"`);
    expect(await measureInPyTorch(true, signal)).toEqual({ arguments: '-B --json --quick' });
  });

  it('is left out, with a hint, where it is not installed', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await usePython(1, 'exit 2');
    expect(await measureInPyTorch(false, signal)).toBeNull();
    expect(log).toHaveBeenCalledWith(expect.stringMatching(/^PyTorch: no Python .* Hint: set PYTHON/));
  });

  it('is an error if the script fails', async () => {
    await usePython(0, 'exit 3');
    await expect(measureInPyTorch(false, signal)).rejects.toThrow(/cuda\.py ended with 3/);
  });
});
