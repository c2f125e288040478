/** Finds a Python with a package. */
import { spawnSync } from 'node:child_process';

/**
 * The first Python that can import a package: the one that the variable PYTHON names, or else `python3` on the PATH, or the
 * system's. Undefined if there is none.
 */
export function pythonWith(name: 'torch' | 'onnx'): string | undefined {
  const { PYTHON } = process.env;
  const candidates = PYTHON === undefined ? ['python3', '/usr/bin/python3'] : [PYTHON];
  // find_spec does not run the package: importing PyTorch takes seconds
  const test = `import importlib.util, sys; sys.exit(importlib.util.find_spec('${name}') is None)`;
  return candidates.find((each) => spawnSync(each, ['-c', test]).status === 0);
}

/** A Python with PyTorch, which `.ci/run` installs. Undefined if there is none, but with CI=true that is an error. */
export function pythonWithTorch(): string | undefined {
  const python = pythonWith('torch');
  if (python === undefined && process.env.CI) {
    throw new Error('no Python has PyTorch. Hint: apt-get install python3-torch, or set PYTHON');
  }
  return python;
}
