import fc from 'fast-check';

// Each run tests properties on new random examples, to find unexpected cases. In CI the seed is fixed, so that a
// failure is caused by the change.
if (process.env.CI) fc.configureGlobal({ seed: 20150211 }); // the date of the batch normalization paper
