/**
 * The contender's side of the protocol: JSON lines on stdin, JSON lines on stdout. The driver's side is
 * `../contender-process.ts`; `protocol.py` is this file in Python.
 *
 *     {"op":"describe"}                              → {"version":…, …}
 *     {"op":"prepare","workload":{…},"inputs":{…}}   → {}
 *     {"op":"verify","output":file}                  → {"losses":[…],"outputs":{…}}
 *     {"op":"time","iterations":n}                   → {"seconds": of all n}
 *     {"op":"epoch"}                                 → {"seconds":…,"loss":…, …}, of the experiment
 *
 * What goes wrong is answered as {"error":"…"}.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { readTensors, writeTensors } from './tensor-file.js';

/**
 * What a workload's function makes of its inputs.
 *
 * @typedef {object} Task
 * @property {() => unknown} [iterate] What is timed.
 * @property {() => Promise<unknown>} [settle] Returns once all that `iterate` began is computed.
 * @property {() => Promise<{ losses?: number[], tensors: object }>} [verify] What it computes.
 * @property {() => Promise<Record<string, number>>} [epoch] Of the experiment.
 */

/**
 * Answers requests until stdin ends, which it does when the driver ends.
 *
 * @param {{ describe: () => object | Promise<object>, workloads: Record<string, Function> }} contender
 */
export async function serve({ describe, workloads }) {
  /** @type {Task} */
  let task = {};
  const ops = {
    describe,
    prepare: async ({ workload, inputs }) => {
      task = await workloads[workload.kind](workload, readTensors(inputs));
      return {};
    },
    verify: async ({ output }) => {
      const { losses, tensors } = await task.verify();
      return { losses, outputs: writeTensors(output, tensors) };
    },
    time: async ({ iterations }) => ({ seconds: await timed(task, iterations) }),
    epoch: () => task.epoch(),
  };
  // stdout belongs to the protocol, whatever a library has to say.
  for (const method of ['log', 'info', 'debug']) console[method] = console.error;
  for await (const line of createInterface({ input: process.stdin })) {
    let reply;
    try {
      const { op, ...request } = JSON.parse(line);
      reply = await ops[op](request);
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  process.exit(); // a library may keep something open
}

/** Awaits what is a promise, and nothing else: that would cost a fraction of a microsecond, which Python does not pay. */
async function timed({ iterate, settle }, iterations) {
  const start = performance.now();
  for (let i = 0; i < iterations; i++) {
    const done = iterate();
    if (done instanceof Promise) await done;
  }
  await settle();
  return (performance.now() - start) / 1000;
}

/** The version in a package.json, by its place relative to this folder. */
export function versionIn(packageJson) {
  return JSON.parse(readFileSync(new URL(packageJson, import.meta.url), 'utf8')).version;
}
