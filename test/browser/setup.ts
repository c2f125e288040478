import fc from 'fast-check';
import { inject } from 'vitest';
import { timeLimit } from '../time-limit.ts';

/**
 * Each new shape compiles a shader, which takes about 25 ms on WebGL. Properties therefore run on 4 examples instead
 * of 100, with one seed for the whole run, so that tests share compiled shaders. In CI the seed is fixed.
 */
fc.configureGlobal({ seed: inject('seed'), numRuns: 4, ...timeLimit });

declare module 'vitest' {
  interface ProvidedContext {
    seed: number;
  }
}
