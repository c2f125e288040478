/** What the networks take the held-out images for. */
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
          `${net}: ${formatNumber(right)} of ${formatNumber(total)} ${heldOut.name} images are right, ` +
          `${formatShare(right / total)}. ${mostFrequent(counts, classes)}`,
        classes,
        counts,
      },
    };
  });
  return {
    heading: 'Predictions',
    text: [
      `The networks after their last epoch, with the first seed, on the ${heldOut.name} images. Of the images below, some ` +
        'were chosen because all networks are right, the others because they disagree or are wrong. In the tables, a row ' +
        'holds the images of one class, and a column those that were taken for one.',
    ],
    blocks: [
      {
        kind: 'samples',
        samples: {
          caption: 'Above the arrow what an image is, below it what each network takes it for.',
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
    ? 'There is no mistake.'
    : `The most frequent mistake: ${is} taken for ${taken}, ${count === 1 ? 'once' : `${count} times`}.`;
}
