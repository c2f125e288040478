/** Runs `bench/peers/cuda.py` on the same machine, if there is a Python with PyTorch and CUDA. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CudaReport } from '../results.ts';

const script = join(import.meta.dirname, '../peers/cuda.py');
const HAS_CUDA = 'import sys, torch; sys.exit(0 if torch.cuda.is_available() else 1)';

/** The first Python whose PyTorch finds a CUDA device; `PYTHON` names another one. */
function pythonWithCuda(): string | undefined {
  const { PYTHON } = process.env;
  const candidates = PYTHON === undefined ? ['python3', '/usr/bin/python3'] : [PYTHON];
  return candidates.find((python) => spawnSync(python, ['-c', HAS_CUDA]).status === 0);
}

/**
 * Times the same products and steps in PyTorch, and prints each. Returns null if there is no CUDA, after a line that
 * says so.
 */
export async function measureInPyTorch(quick: boolean, signal: AbortSignal): Promise<CudaReport | null> {
  const python = pythonWithCuda();
  if (python === undefined) {
    console.log('PyTorch: no Python with torch and CUDA. Hint: set PYTHON to a Python that has both');
    return null;
  }
  const folder = await mkdtemp(join(tmpdir(), 'gammabeta-cuda-'));
  try {
    const file = join(folder, 'cuda.json');
    const args = ['-B', script, '--json', file, ...(quick ? ['--quick'] : [])]; // -B writes no bytecode
    const child = spawn(python, args, { stdio: 'inherit', signal });
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    if (status !== 0) throw new Error(`${python} ${script} ended with ${String(status)}`);
    return JSON.parse(await readFile(file, 'utf8')) as CudaReport;
  } finally {
    await rm(folder, { recursive: true });
  }
}
