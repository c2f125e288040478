/** Tests of what is freed early on wasm: all tensors that a program has not seen, and all that the graph needed. */
import { expect, it } from 'vitest';
import {
  DeviceError,
  Adam,
  BatchNorm1d,
  clipGradNorm,
  crossEntropy,
  Dense,
  Dropout,
  LeakyReLU,
  manualSeed,
  mse,
  noGrad,
  randn,
  ReLU,
  RMSprop,
  scope,
  Sequential,
  SGD,
  Softmax,
  type Tensor,
  tensor,
} from '../../../../src/index.ts';
import { WasmStorage } from '../../../../src/tensor/device/wasm/residency.ts';
import { composite } from '../../../../src/tensor/op.ts';
import { Held, wasmDevice } from './wasm-device.ts';

const { residency } = await wasmDevice();

const labels = [0, 1, 2, 0, 1, 2];
const network = () => {
  manualSeed(1);
  const hidden = [new Dense(5, 8), new LeakyReLU(0.3), new BatchNorm1d(8), new Dropout(0.2)];
  return new Sequential(new BatchNorm1d(5), ...hidden, new Dense(8, 4), new ReLU(), new Dense(4, 3));
};

/** A step of a program: it returns the tensors that the program has seen. */
type Step = () => readonly Tensor[];

/** Programs by name. A program is set up, and then runs step by step. */
const programs: Record<string, () => Step> = {
  'training with SGD': () => trainingWith((params) => new SGD(params, { lr: 0.1, momentum: 0.9 })),
  'training with Adam': () => trainingWith((params) => new Adam(params, { amsgrad: true })),
  'training with RMSprop': () => trainingWith((params) => new RMSprop(params, { centered: true })),
  'accumulating gradients, which no one reads': () => {
    const model = network();
    return () => {
      const x = randn([6, 5]);
      const y = model.forward(x);
      const target = randn([6, 3]);
      const loss = mse(y, target);
      loss.backward();
      return [x, y, target, loss];
    };
  },
  'prediction without a graph': () => {
    const model = network().eval();
    const x = randn([6, 5]);
    model.train().forward(x);
    model.eval();
    return () => [noGrad(() => model.forward(x))];
  },
  'batch normalization of three axes, and a softmax': () => {
    const model = new Sequential(new BatchNorm1d(4), new Softmax());
    const x = randn([3, 4, 5]);
    return () => {
      const y = model.forward(x);
      const loss = y.sum();
      loss.backward();
      return [y, loss];
    };
  },
  'layers outside of a network': () => {
    const [norm, dense] = [new BatchNorm1d(5), new Dense(5, 4)];
    const x = randn([6, 5]);
    return () => {
      const n = norm.forward(x);
      const y = dense.forward(n);
      const loss = y.sum();
      loss.backward();
      const z = norm.eval().forward(x);
      norm.train();
      const other = z.sum();
      other.backward();
      return [n, y, loss, z, other];
    };
  },
  'gradients that two leaves share, and that accumulate': () => {
    const [a, b] = [1, 2].map((value) => tensor([value, value], { requiresGrad: true }));
    return () => {
      const y = a.add(b);
      const loss = y.sum();
      loss.backward();
      return [y, loss];
    };
  },
  'a graph of tensor methods': () => {
    const w = tensor([[1, 2, 3]], { requiresGrad: true });
    return () => {
      const y = w.tanh();
      const z = y.mul(w);
      const p = z.softmax(1);
      const columns = w.transpose();
      const loss = p.matmul(columns);
      w.grad = null;
      loss.backward();
      return [y, z, p, columns, loss];
    };
  },
};

function trainingWith(make: (params: readonly Tensor[]) => { step(): void; zeroGrad(): void }): Step {
  const model = network();
  const optimizer = make(model.parameters());
  return () => {
    const x = randn([6, 5]);
    const logits = model.forward(x);
    const loss = crossEntropy(logits, labels);
    optimizer.zeroGrad();
    loss.backward();
    const norm = clipGradNorm(model.parameters(), 1);
    optimizer.step();
    return [x, logits, loss, norm];
  };
}

function bytesOf({ storage }: Tensor): number {
  if (storage instanceof WasmStorage) return storage.bytes;
  throw new Error('a tensor on wasm was expected');
}

it.each(Object.entries(programs))(
  '%s uses the memory of the tensors that the program sees',
  (_name, begin) => {
    const step = begin();
    step();
    step(); // now there are gradients and the state of the optimizer
    for (let k = 0; k < 3; k++) {
      const before = residency.inUse;
      const seen = step();
      const used = residency.inUse - before;
      expect(used).toBe(seen.reduce((sum, x) => sum + bytesOf(x), 0));
    }
  },
);

/** Overwrites the memory that was freed. */
const overwrite = () => Array.from({ length: 40 }, () => tensor(new Float32Array(16).fill(777)));

it('a scope with several results on the tape frees nothing that any of them needs', () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const [a, b] = scope(() => {
    const s = x.detach().mul(3);
    return [x.mul(s), x.mul(s)];
  });
  a.sum().backward();
  overwrite();
  b.sum().backward();
  expect(x.grad?.toArray()).toEqual([6, 12]); // 2s
});

it('several results of a function of the library stay until the backward pass of the newest', () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const outputAndLoss = composite((input: Tensor) => {
    const y = input.mul(input);
    return { y, loss: y.sum() };
  });
  const { y, loss } = outputAndLoss(x);
  overwrite();
  expect([loss.item(), y.toArray()]).toEqual([5, [1, 4]]);
  loss.backward();
  for (const result of [y, loss]) expect(() => result.dataSync()).toThrow(DeviceError);
  expect(x.grad?.toArray()).toEqual([2, 4]);
});

it('a gradient that is read or set inside a scope stays when it is replaced', () => {
  const x = tensor([1, 2], { requiresGrad: true });
  const held = new Held();
  x.mul(3).sum().backward();
  scope(() => void held.hold('read', x.grad));
  x.grad = null;
  held.check();
  scope(() => {
    x.grad = held.hold('set', tensor([4, 5]).mul(2));
  });
  x.grad = null;
  held.check();
});
