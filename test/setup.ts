import fc from 'fast-check';

// Properties are tried on other examples in every run, which is how they find what nobody thought of. In CI
// they are tried on the same ones, so that a red run is the fault of the change.
if (process.env.CI) fc.configureGlobal({ seed: 20150211 }); // the day of the paper
