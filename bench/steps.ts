/** A training step of a whole network: forward, backward and SGD, at batch 32. */
import { type NetName, nets } from '../examples/mnist/nets.ts';
import { crossEntropy, manualSeed, SGD, type Tensor, tensor } from '../src/index.ts';
import { seededStream } from '../src/tensor/random.ts';
import { time, type TimerOptions, type Timing } from './timer.ts';

export interface StepTiming extends Timing {
  readonly net: NetName;
}

export const stepNets: readonly NetName[] = ['plain', 'bn'];

const BATCH = 32;
const BATCHES = 4;

/**
 * Checks that the steps lower the loss, then times one.
 *
 * @throws {Error} They do not.
 */
export async function timeStep(net: NetName, options: TimerOptions = {}): Promise<StepTiming> {
  const step = stepsOf(net);
  const losses: number[] = [];
  for (let k = 0; k < 5 * BATCHES; k++) losses.push((await step().data())[0]);
  const [first, last] = [losses.slice(0, BATCHES), losses.slice(-BATCHES)].map(mean);
  if (!(last < first)) throw new Error(`step ${net}: the loss does not fall: ${losses.join(', ')}`);
  return { net, ...(await time(step, options)) };
}

/** Each call trains on the next of a few batches, and gives its loss. */
function stepsOf(net: NetName): () => Tensor {
  manualSeed(1);
  const model = nets[net]();
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const stream = seededStream(1);
  const batches = Array.from({ length: BATCHES }, () => ({
    x: tensor(
      Float32Array.from({ length: BATCH * 784 }, () => stream.uniform()),
      { shape: [BATCH, 784] },
    ),
    labels: Uint8Array.from({ length: BATCH }, () => Math.floor(10 * stream.uniform())),
  }));
  let steps = 0;
  return () => {
    const { x, labels } = batches[steps++ % BATCHES];
    const loss = crossEntropy(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
