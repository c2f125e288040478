/**
 * Threads of the wasm device: `npm run bench -- threads [numbers of threads]` times products, batch normalization and training
 * steps with one thread and with others, in turns, and prints the best times, and the time that giving a kernel away
 * takes.
 */
import { matmul } from '../kernels/matmul.ts';
import { nets } from '../src/networks.ts';
import { BatchNorm1d, randn, useDevice } from '../src/index.ts';
import { currentDevice } from '../src/tensor/device/current.ts';
import { builds, openWasm, type WasmDevice } from '../src/tensor/device/wasm/open-wasm.ts';
import { makeTeam } from '../src/tensor/device/wasm/threads/team.ts';
import { stepCases, stepName } from './step-timing.ts';
import { stepOf, trainingOf } from './training.ts';

/** Rounds in turns, and the time of each, in milliseconds. */
const ROUNDS = 12;
const ROUND = 60;

/** Calls that are timed together, to measure the latency: few, so that some are not interrupted. */
const BURST = 50;

const counts = process.argv.slice(2).map(Number);
if (counts.length === 0) counts.push(2);

/** Times work on the current device, in milliseconds per call. */
function timed(work: () => unknown): number {
  const begin = performance.now();
  let calls = 0;
  let passed = 0;
  do {
    work();
    calls++;
    passed = performance.now() - begin;
  } while (passed < ROUND);
  return passed / calls;
}

/** Builds the work once per number of threads, because each has tensors of its own, and times all in turns. */
async function compare(name: string, workOf: () => () => unknown): Promise<void> {
  const best = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of [1, ...counts]) {
      await useDevice('wasm', { threads: count });
      await (currentDevice() as WasmDevice).pool?.started();
      const work = workOf();
      for (let k = 0; k < 5; k++) work();
      best.set(count, Math.min(best.get(count) ?? Infinity, timed(work)));
    }
  }
  const one = best.get(1) ?? NaN;
  const others = counts.map((count) => {
    const time = best.get(count) ?? NaN;
    return `${count} threads ${time.toFixed(4)} ms, ${(one / time).toFixed(2)} times as fast`;
  });
  console.log(`${name.padEnd(26)} 1 thread ${one.toFixed(4)} ms; ${others.join('; ')}`);
}

/** The time to give away a kernel that does almost nothing, and to hear back, in microseconds. */
async function latency(): Promise<void> {
  const device = openWasm(builds, { count: 2, reason: 'benchmark' });
  device.gather(makeTeam);
  const { pool } = device;
  const form = pool?.forms.get('matmul');
  if (pool === null || form === undefined) throw new Error('shared memory is refused');
  await pool.started();
  pool.leastShare = 0;
  const args = [0, 0, 0, 2, 0, 0]; // two empty rows
  const call = () => pool.run(form, args, [], 3, 1, 1);
  const alone = () => form.run(0, 0, 0, 2, 0, 0);
  const burst = (work: () => unknown) => {
    const begin = performance.now();
    for (let k = 0; k < BURST; k++) work();
    return (performance.now() - begin) / BURST;
  };
  let [both, one] = [Infinity, Infinity];
  for (let k = 0; k < 10_000; k++) {
    both = Math.min(both, burst(call));
    one = Math.min(one, burst(alone));
  }
  console.log(`fork and join: ${(1000 * (both - one)).toFixed(2)} µs`);
  pool.stop();
}

await latency();
for (const n of [512, 1024]) {
  await compare(`${matmul.name} ${n}³`, () => {
    const [a, b] = [randn([n, n]), randn([n, n])];
    return () => a.matmul(b);
  });
}
await compare('BatchNorm1d 1024×512', () => {
  const layer = new BatchNorm1d(512);
  const x = randn([1024, 512], { requiresGrad: true });
  return () => {
    layer.forward(x).sum().backward();
  };
});
for (const stepCase of stepCases) {
  await compare(stepName(stepCase), () => {
    const training = trainingOf(nets[stepCase.net], 784, stepCase.batch, stepCase.inputs);
    return () => stepOf(training).dataSync();
  });
}
