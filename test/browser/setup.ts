import fc from 'fast-check';
import { inject } from 'vitest';

/**
 * A GPU compiles a shader for each shape, which takes WebGL some 25 ms: so properties are tried on ten examples, not
 * on a hundred. And on the same ones, of a seed drawn once per run, so that what is compiled for one law serves the
 * next. In CI the seed is always the same.
 */
fc.configureGlobal({ seed: inject('seed'), numRuns: 10 });

declare module 'vitest' {
  interface ProvidedContext {
    seed: number;
  }
}
