import fc from 'fast-check';
import { timeLimit } from './time-limit.ts';

// Each run tests properties on new random examples, to find unexpected cases. In CI the seed is fixed, so that a
// failure is caused by the change, and half of the examples are enough.
const inCi = process.env.CI ? { seed: 20150211, numRuns: 50 } : {}; // the date of the batch normalization paper
fc.configureGlobal({ ...inCi, ...timeLimit });
