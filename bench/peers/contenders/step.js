/** What the training steps of all JavaScript contenders share. */

/** Losses and state are compared after as many steps. */
const VERIFIED_STEPS = 8;

/** Running statistics move, but are not trained. */
export const isTrained = (name) => !name.includes('running_');

/** The driver's inputs by what they are: `x:0` → `x[0]`, `state:0.weight` → `state['0.weight']`. */
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
 *   stateOf: () => Promise<object> }} contender `train` is one step; `lossOf` reads the loss of what it returned.
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

/** One row per label, with a 1 in its column: what libraries without integer labels take. */
export function oneHot({ data, shape: [rows] }, classes = 10) {
  const y = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) y[r * classes + data[r]] = 1;
  return { shape: [rows, classes], data: y };
}
