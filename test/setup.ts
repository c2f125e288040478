import fc from 'fast-check';
import { vi } from 'vitest';
import { timeLimit } from './time-limit.ts';

// Several test files share a process. Each file loads its own copy of the library, with its own device, seed and memory.
// Modules that one file replaces are not replaced in the next.
vi.resetModules();

// Each run tests properties on new random examples, to find unexpected cases. In CI the seed is fixed, so that a
// failure is caused by the change, and half of the examples are enough.
const inCi = process.env.CI ? { seed: 20150211, numRuns: 50 } : {}; // the date of the batch normalization paper
fc.configureGlobal({ ...inCi, ...timeLimit });
