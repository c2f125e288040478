/** The section with the predictions for the held-out images. */
import { type Findings, netsIn } from './experiment.ts';
import type { Block, Section } from './model.ts';
import { formatNumber, formatShare } from './numbers.ts';
import { confusionOf, instructive } from './predictions.ts';

export function mistakes(findings: Findings): Section | null {
  const { heldOut, insides } = findings;
  const { data, classes, image } = heldOut;
  const nets = netsIn(findings).flatMap(({ net }) => {
    const inside = insides.get(net);
    return inside === undefined ? [] : [{ net, predictions: inside.predictions }];
  });
  if (nets.length === 0) return null;
  const images = instructive(
    data.labels,
    nets.map(({ predictions }) => predictions),
  ).map((i) => ({
    ...image(i),
    label: classes[data.labels[i]],
    predictions: nets.map(({ net, predictions }) => ({ net, label: classes[predictions[i]] })),
  }));
  const confusions = nets.map(({ net, predictions }): Block => {
    const counts = confusionOf(data.labels, predictions, classes.length);
    const right = counts.reduce((sum, row, i) => sum + row[i], 0);
    const total = data.labels.length;
    return {
      kind: 'confusion',
      confusion: {
        caption:
          `${net}: ${formatNumber(right)} of ${formatNumber(total)} ${heldOut.name} images are correct, ` +
          `${formatShare(right / total)}. ${mostFrequent(counts, classes)}`,
        classes,
        counts,
      },
    };
  });
  return {
    heading: 'Predictions',
    text: [
      `Predictions of the networks after their last epoch, with the first seed, for the ${heldOut.name} images. The ` +
        'images below are examples that all networks classify correctly, that only some do, and that none does. In the ' +
        'tables, each row holds the images of one class, and each column those with one prediction.',
    ],
    blocks: [
      {
        kind: 'samples',
        samples: {
          caption: 'The class of each image before the arrow, and the prediction of each network below it.',
          images,
        },
      },
      ...confusions,
    ],
  };
}

function mostFrequent(counts: readonly (readonly number[])[], classes: readonly string[]): string {
  const wrong = counts.flatMap((row, i) =>
    row.map((count, j) => ({ count: i === j ? 0 : count, is: classes[i], taken: classes[j] })),
  );
  const { count, is, taken } = wrong.reduce((most, each) => (each.count > most.count ? each : most));
  return count === 0
    ? 'There are no mistakes.'
    : `The most frequent mistake: ${is} classified as ${taken}, ${count === 1 ? 'once' : `${count} times`}.`;
}
