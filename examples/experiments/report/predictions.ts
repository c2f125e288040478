/** Predictions of a network, and a selection of images to show. */
import { type Dataset, predict as outputsOf, type Sequential } from '../../../src/index.ts';

/** The class with the largest output for each example, in evaluation mode. */
export async function predict(model: Sequential, data: Dataset): Promise<Uint8Array> {
  const output = await outputsOf(model, data);
  return largest(await output.data(), data.labels.length);
}

/** The index of the largest output of each row; the first one if several are equal, as in `accuracy`. */
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

/** The confusion matrix: `counts[i][j]` examples of class i were predicted as class j. */
export function confusionOf(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predictions[i]]++;
  return counts;
}

/** The number of images to show that all networks classify correctly, that some do, and that none does. */
const wanted: readonly number[] = [3, 6, 3];

/**
 * The indices of twelve images to show: first images that all networks classify correctly, then images that only some
 * do, then images that none does. Each group has images of different classes, if possible.
 */
export function instructive(labels: ArrayLike<number>, predictions: readonly ArrayLike<number>[]): number[] {
  const groups: number[][] = wanted.map(() => []);
  for (let i = 0; i < labels.length; i++) {
    const right = predictions.filter((each) => each[i] === labels[i]).length;
    groups[right === predictions.length ? 0 : right > 0 ? 1 : 2].push(i);
  }
  const used = new Set<number>();
  const chosen = groups.map((group, at) => pick(group, wanted[at], labels, used));
  // If a group has too few images, take more from the others, misclassified ones first.
  const all = wanted.reduce((sum, count) => sum + count);
  for (const at of [2, 1, 0]) {
    const missing = all - chosen.flat().length;
    const rest = groups[at].filter((i) => !chosen[at].includes(i));
    chosen[at].push(...rest.slice(0, missing));
  }
  return chosen.flat();
}

/** The first images of classes that are not shown yet, then the first remaining ones. */
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
