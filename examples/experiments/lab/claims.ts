/** All claims, in the order of the report. */
import type { Claim } from './claim.ts';
import { activations } from './claims/activations.ts';
import { batchSize } from './claims/batch-size.ts';
import { bias } from './claims/bias.ts';
import { cost } from './claims/cost.ts';
import { covariateShift } from './claims/covariate-shift.ts';
import { gammaBeta } from './claims/gamma-beta.ts';
import { gradients } from './claims/gradients.ts';
import { initialization } from './claims/initialization.ts';
import { learningRate } from './claims/learning-rate.ts';
import { memory } from './claims/memory.ts';
import { orderInBatch } from './claims/order-in-batch.ts';
import { outputs } from './claims/outputs.ts';
import { regularization } from './claims/regularization.ts';
import { remediesForSmallBatches } from './claims/small-batch-remedies.ts';
import { sequences } from './claims/sequences.ts';
import { shuffling } from './claims/shuffling.ts';
import { smallBatches } from './claims/small-batches.ts';
import { speed } from './claims/speed.ts';
import { tuning } from './claims/tuning.ts';
import { workers } from './claims/workers.ts';

export const claims: readonly Claim[] = [
  speed,
  learningRate,
  initialization,
  gradients,
  regularization,
  smallBatches,
  bias,
  outputs,
  activations,
  shuffling,
  covariateShift,
  cost,
  tuning,
  gammaBeta,
  batchSize,
  remediesForSmallBatches,
  orderInBatch,
  workers,
  memory,
  sequences,
];
