/** Functions that the training steps of all JavaScript contenders share. */

/** The number of steps whose losses are compared, and after which weights are compared. */
const VERIFIED_STEPS = 8;

/** Running statistics are not trained. */
export const isTrained = (name) => !name.includes('running_');

/** Groups the driver's inputs by the first part of their names: `state:0.weight` → `state['0.weight']`. */
export function grouped(inputs) {
  const groups = {};
  for (const [name, tensor] of Object.entries(inputs)) {
    const [group, key] = name.split(':');
    (groups[group] ??= {})[key] = tensor;
  }
  return groups;
}

/**
 * @template B
 * @param {readonly B[]} batches Used in turn.
 * @param {{ train: (batch: B) => unknown, settle: () => Promise<unknown>, lossOf: (trained: any) => Promise<number>,
 *   stateOf: () => Promise<object> }} contender `train` makes one step; `lossOf` reads the loss from its result.
 */
export function stepTask(batches, { train, settle, lossOf, stateOf }) {
  let steps = 0;
  const iterate = () => train(batches[steps++ % batches.length]);
  const verify = async () => {
    const losses = [];
    for (let step = 0; step < VERIFIED_STEPS; step++) losses.push(await lossOf(await iterate()));
    return { losses, tensors: await stateOf() };
  };
  return { iterate, settle, verify };
}

/** One row per label, with a 1 in its column, for libraries that take no integer labels. */
export function oneHot({ data, shape: [rows] }, classes = 10) {
  const y = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) y[r * classes + data[r]] = 1;
  return { shape: [rows, classes], data: y };
}
