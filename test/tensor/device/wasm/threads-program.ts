/** Trains with the default number of threads, and prints the outcome as JSON. Then it has nothing left to do. */
import { crossEntropy, deviceInfo, manualSeed, randn, SGD } from '../../../../src/index.ts';
import { nets } from '../../../../src/networks.ts';

export interface ProgramOutcome {
  readonly threads: number | undefined;
  readonly losses: readonly number[];
}

async function train(): Promise<ProgramOutcome> {
  manualSeed(1);
  const model = nets.bn();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const x = randn([64, 784]);
  const labels = Uint8Array.from({ length: 64 }, (_, i) => i % 10);
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    const loss = crossEntropy(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push((await loss.data())[0]);
  }
  return { threads: deviceInfo().threads, losses };
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(await train()));
