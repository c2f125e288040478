/** The generated WebAssembly is what the sources compile to, byte for byte. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { binaries } from '../../../kernels/simd/binaries.generated.ts';

const kernels = join(import.meta.dirname, '../../../kernels/simd');

it('the build is reproducible and up to date (if not: npm run build:kernels)', () => {
  const script = `import { generate } from ${JSON.stringify(join(kernels, 'build.ts'))}; process.stdout.write(generate());`;
  const built = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(built === readFileSync(join(kernels, 'binaries.generated.ts'), 'utf8')).toBe(true);
}, 120_000);

it('there are two different builds, each below 32 kB', () => {
  const sizes = [binaries.relaxed, binaries.simd].map((text) => text.length / 2);
  expect(binaries.relaxed).not.toBe(binaries.simd);
  for (const size of sizes) expect(size).toBeLessThan(32_768);
});
