/** What a network takes images for. */
import { DataLoader, type Dataset, noGrad, type Sequential, tensor } from '../../../src/index.ts';

/** The class with the largest output for each example, in evaluation mode; the model is left in its mode. */
export async function predict(model: Sequential, data: Dataset): Promise<Uint8Array> {
  const modes = model.modules().map((layer) => [layer, layer.training] as const);
  const found = new Uint8Array(data.labels.length);
  let at = 0;
  try {
    model.eval();
    for (const { x, shape, labels } of new DataLoader(data, { batchSize: 256 })) {
      const output = noGrad(() => model.forward(tensor(x, { shape })));
      found.set(largest(await output.data(), labels.length), at);
      at += labels.length;
    }
  } finally {
    for (const [layer, training] of modes) layer.training = training;
  }
  return found;
}

/** The first of equals, as `accuracy` has it. */
function largest(outputs: ArrayLike<number>, rows: number): Uint8Array {
  const columns = outputs.length / rows;
  return Uint8Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let j = 1; j < columns; j++) {
      if (outputs[row * columns + j] > outputs[row * columns + best]) best = j;
    }
    return best;
  });
}

/** How often class i was taken for class j. */
export function confusionOf(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predictions[i]]++;
  return counts;
}

/** How many of those that all get right, that some get right, and that none does. */
const wanted: readonly number[] = [3, 6, 3];

/**
 * Indices of a dozen images to show: first those that all networks get right, then those that only some do, then
 * those that none does. Of each, images of different classes where there are.
 */
export function instructive(labels: ArrayLike<number>, predictions: readonly ArrayLike<number>[]): number[] {
  const groups: number[][] = wanted.map(() => []);
  for (let i = 0; i < labels.length; i++) {
    const right = predictions.filter((each) => each[i] === labels[i]).length;
    groups[right === predictions.length ? 0 : right > 0 ? 1 : 2].push(i);
  }
  const used = new Set<number>();
  const chosen = groups.map((group, at) => pick(group, wanted[at], labels, used));
  // What a group has too few of, the others give: first the wrong ones.
  const all = wanted.reduce((sum, count) => sum + count);
  for (const at of [2, 1, 0]) {
    const missing = all - chosen.flat().length;
    const rest = groups[at].filter((i) => !chosen[at].includes(i));
    chosen[at].push(...rest.slice(0, missing));
  }
  return chosen.flat();
}

/** The first ones of classes that are not shown yet, and then the first others. */
function pick(
  group: readonly number[],
  count: number,
  labels: ArrayLike<number>,
  used: Set<number>,
): number[] {
  const fresh: number[] = [];
  for (const i of group) {
    if (fresh.length === count) break;
    if (!used.has(labels[i])) {
      used.add(labels[i]);
      fresh.push(i);
    }
  }
  const others = group.filter((i) => !fresh.includes(i)).slice(0, count - fresh.length);
  return [...fresh, ...others];
}
