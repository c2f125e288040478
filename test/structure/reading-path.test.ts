import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GOAL, readingPath } from './reading-path.ts';
import { root } from './source-files.ts';

describe('the reading path', () => {
  it('is short enough to read in an afternoon', () => {
    const path = readingPath();
    expect(path.map(({ file }) => file)).toContain('src/tensor/autodiff.ts');
    expect(path.reduce((sum, { lines }) => sum + lines, 0)).toBeLessThanOrEqual(GOAL);
  });

  it('in the README links to files that exist, among them tape.ts, op.ts and autodiff.ts', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, section = ''] = /<!-- reading path -->([\s\S]*?)<!-- \/reading path -->/.exec(readme) ?? [];
    const files = [...section.matchAll(/\]\(([^)#]+)/g)].map(([, file]) => file);
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
    expect(files).toEqual(
      expect.arrayContaining([
        'examples/first-gradient.ts',
        'src/tensor/tape.ts',
        'src/tensor/op.ts',
        'src/tensor/autodiff.ts',
        'src/tensor/ops.ts',
        'src/layers/dense.ts',
        'src/layers/batchnorm1d.ts',
        'kernels/batchnorm.ts',
        'kernels/fused/batchnorm.ts',
        'kernels/simd/batchnorm.ts',
        'kernels/gpu/batchnorm.ts',
      ]),
    );
    expect(files.filter((file) => file.startsWith('src/tensor/device/gpu/'))).toEqual([]);
  });
});
