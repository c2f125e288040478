/**
 * Trains for many steps and prints the memory in use as JSON. It runs in a process of its own, so that nothing else is
 * measured: `node --expose-gc --import tsx test/tensor/device/wasm/training-memory.ts layers 20000`.
 */
import {
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  Dense,
  fit,
  manualSeed,
  randn,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../../../src/index.ts';
import type { WasmDevice } from '../../../../src/tensor/device/wasm/open-wasm.ts';

/** Memory after a garbage collection, in bytes. */
export interface Measured {
  readonly step: number;
  /** The size of WebAssembly memory. */
  readonly wasm: number;
  /** The part of it that arrays use. */
  readonly inUse: number;
  /** JavaScript memory: the heap and array buffers. */
  readonly javascript: number;
  /** How often an array moved out of WebAssembly memory, or in again. */
  readonly moves: { readonly out: number; readonly in: number };
}

const labels = Uint8Array.from({ length: 32 }, (_, i) => i % 10);
const batches = Array.from({ length: 8 }, (_, seed) => {
  manualSeed(seed);
  return Float32Array.from(randn([32 * 64]).dataSync());
});

/** A model 64 → 32 → 10 with batch normalization. */
const model = (): Sequential =>
  new Sequential(
    new BatchNorm1d(64),
    new Dense(64, 32, { bias: false }),
    new BatchNorm1d(32),
    new ReLU(),
    new Dense(32, 10),
  );

/** A loop over the model. */
function layers(): (step: number) => Tensor {
  const net = model();
  const optimizer = new SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  return (step) => {
    const x = tensor(batches[step % batches.length], { shape: [32, 64] });
    const loss = crossEntropy(net.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

/** A similar model of tensor methods: the program sees every tensor. */
function tensors(): (step: number) => Tensor {
  const weight = (...shape: number[]) =>
    tensor(randn(shape).mul(0.1).dataSync(), { shape, requiresGrad: true });
  const [W, gamma, beta, V, b] = [weight(64, 32), weight(32), weight(32), weight(32, 10), weight(10)];
  const optimizer = new SGD([W, gamma, beta, V, b], { lr: 0.01 });
  return (step) => {
    const x = tensor(batches[step % batches.length], { shape: [32, 64] });
    const h = x.matmul(W);
    const d = h.sub(h.mean(0));
    const y = d.div(d.mul(d).mean(0).add(1e-5).sqrt()).mul(gamma).add(beta).relu();
    const loss = crossEntropy(y.matmul(V).add(b), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
}

function measure(step: number): Measured {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run this with node --expose-gc');
  gc();
  gc(); // collects what the first run made collectable
  const { heapUsed, external } = process.memoryUsage();
  const { memory, residency } = tensor(0).home as WasmDevice;
  const moves = { ...residency.moves };
  return { step, wasm: memory, inUse: residency.inUse, javascript: heapUsed + external, moves };
}

/** A run: the memory at the beginning and after each tenth of the steps, with the loss there. */
export interface Report {
  readonly measured: Measured[];
  readonly losses: number[];
}

/** Steps of a loop. */
function loop(train: (step: number) => Tensor, steps: number): Report {
  const report: Report = { measured: [], losses: [] };
  for (let step = 0; step <= steps; step++) {
    const loss = train(step);
    if (step % (steps / 10) !== 0) continue;
    report.measured.push(measure(step));
    report.losses.push(loss.item());
  }
  return report;
}

/** `fit` on the model, with an evaluation after each epoch of 8 steps. */
async function fitted(steps: number): Promise<Report> {
  const net = model();
  const data = {
    x: Float32Array.from(batches.flatMap((batch) => [...batch])),
    shape: [64],
    labels: Uint8Array.from(batches.flatMap(() => [...labels])),
  };
  const report: Report = { measured: [measure(0)], losses: [] };
  await fit(net, {
    train: new DataLoader(data, { batchSize: 32, shuffle: true, seed: 1 }),
    validation: data,
    optimizer: new SGD(net.parameters(), { lr: 0.01, momentum: 0.9 }),
    epochs: steps / batches.length,
    onEpoch: ({ epoch, results }) => {
      if (epoch === 1) report.losses.push(results.loss);
      const step = epoch * batches.length;
      if (step % (steps / 10) !== 0) return;
      report.measured.push(measure(step));
      report.losses.push(results.valLoss);
    },
  });
  return report;
}

if (process.argv[1] === import.meta.filename) {
  const [, , way, steps] = process.argv;
  const run = {
    layers: () => loop(layers(), Number(steps)),
    tensors: () => loop(tensors(), Number(steps)),
    fit: () => fitted(Number(steps)),
  };
  console.log(JSON.stringify(await run[way as keyof typeof run]()));
}
