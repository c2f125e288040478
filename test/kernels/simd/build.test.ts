/** The generated WebAssembly is up to date with its sources, and the build is reproducible. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compare } from '../../../kernels/simd/build.ts';
import { binaries } from '../../../kernels/simd/binaries.generated.ts';
import { decode, encode, frequentBytes } from '../../../kernels/simd/text.ts';

const kernels = join(import.meta.dirname, '../../../kernels/simd');

it('binaries.generated.ts is what its sources build (otherwise run npm run build:kernels)', () => {
  const script = `import { generate } from ${JSON.stringify(join(kernels, 'build.ts'))}; process.stdout.write(generate());`;
  const built = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(built === readFileSync(join(kernels, 'binaries.generated.ts'), 'utf8')).toBe(true);
}, 120_000);

it('there are two different builds of less than 37 kB each', () => {
  const [relaxed, simd] = [binaries.relaxed(), binaries.simd()];
  expect(relaxed).not.toEqual(simd);
  for (const { length } of [relaxed, simd]) expect(length).toBeLessThan(37_888);
});

const bytes = fc.uint8Array({ maxLength: 300 });
const someBytes = fc.uint8Array({ max: 3, maxLength: 300 }); // so that arrays share long pieces

it('text holds every byte, for any choice of frequent ones', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, (shared, own, like) => {
      const frequent = frequentBytes(like);
      const decoded = decode(encode(shared, frequent), encode(own, frequent), frequent);
      expect(decoded).toEqual(Uint8Array.of(...shared, ...own));
    }),
  );
});

it('the pieces of two arrays, put together again, are these arrays', () => {
  const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  fc.assert(
    fc.property(fc.oneof(bytes, someBytes), fc.oneof(bytes, someBytes), someBytes, (a, b, between) => {
      const [first, second] = [joined([a, between, b]), joined([b, between, a])];
      const pieces = compare(first, second);
      expect(joined(pieces.flatMap((piece) => [piece.shared, piece.first]))).toEqual(first);
      expect(joined(pieces.flatMap((piece) => [piece.shared, piece.second]))).toEqual(second);
    }),
  );
});
