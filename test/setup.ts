import fc from 'fast-check';
import { vi } from 'vitest';
import { timeLimit } from './time-limit.ts';

// Several test files run in one process, one after the other. Each loads the library anew: its device, its seed and its
// memory are those of a new program, and a module that one file replaces is not replaced in the next.
vi.resetModules();

// Each run tests properties on new random examples, to find unexpected cases. In CI the seed is fixed, so that a
// failure is caused by the change, and half of the examples are enough.
const inCi = process.env.CI ? { seed: 20150211, numRuns: 50 } : {}; // the date of the batch normalization paper
fc.configureGlobal({ ...inCi, ...timeLimit });
