/**
 * Trains for many steps and prints the memory in use as JSON. It runs in a process of its own, so that nothing else is
 * measured: `node --expose-gc --import tsx test/tensor/device/wasm/training-memory.ts layers 20000`.
 */
import {
  BatchNorm1d,
  crossEntropy,
  Dense,
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

/** A model 64 → 32 → 10 with batch normalization, made of layers. */
function layers(): (step: number) => Tensor {
  const model = new Sequential(
    new BatchNorm1d(64),
    new Dense(64, 32, { bias: false }),
    new BatchNorm1d(32),
    new ReLU(),
    new Dense(32, 10),
  );
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  return (step) => {
    const x = tensor(batches[step % batches.length], { shape: [32, 64] });
    const loss = crossEntropy(model.forward(x), labels);
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

if (process.argv[1] === import.meta.filename) {
  const [, , way, steps] = process.argv;
  const train = way === 'layers' ? layers() : tensors();
  const measured: Measured[] = [];
  const losses: number[] = [];
  for (let step = 0; step <= Number(steps); step++) {
    const loss = train(step);
    if (step % (Number(steps) / 10) !== 0) continue;
    measured.push(measure(step));
    losses.push(loss.item());
  }
  console.log(JSON.stringify({ measured, losses }));
}
