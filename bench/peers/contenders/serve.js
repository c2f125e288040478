/**
 * The contender's side of the protocol: JSON lines on stdin, JSON lines on stdout. The driver's side is
 * `../contender-process.ts`; `protocol.py` is this file in Python.
 *
 *     {"op":"describe"}                              → {"version":…, …}
 *     {"op":"prepare","workload":{…},"inputs":{…}}   → {}
 *     {"op":"verify","output":file}                  → {"losses":[…],"outputs":{…}}
 *     {"op":"time","iterations":n}                   → {"seconds": total of n iterations}
 *     {"op":"epoch"}                                 → {"seconds":…,"loss":…, …} of one epoch of the experiment
 *
 * The reply to a request that fails is {"error":"…"}.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { readTensors, writeTensors } from './tensor-file.js';
import { timed } from './timed.js';

/**
 * What the function of a workload returns.
 *
 * @typedef {object} Task
 * @property {() => unknown} [iterate] The timed work.
 * @property {() => Promise<unknown>} [settle] Waits until everything that `iterate` started is computed.
 * @property {() => Promise<{ losses?: number[], tensors: object }>} [verify] Returns the results.
 * @property {() => Promise<Record<string, number>>} [epoch] Trains one epoch of the experiment.
 */

/**
 * Answers requests until the driver ends and closes stdin.
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
  // stdout carries only the protocol; a library's messages go to stderr.
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
  process.exit(); // a library may keep the process alive
}

/** The version in a package.json, whose path is relative to this folder. */
export function versionIn(packageJson) {
  return JSON.parse(readFileSync(new URL(packageJson, import.meta.url), 'utf8')).version;
}
