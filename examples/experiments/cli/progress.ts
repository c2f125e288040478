import { type Options, Presets, SingleBar } from 'cli-progress';
import type { BatchProgress, EpochProgress } from '../../../src/index.ts';

/** What `fit` reports to. */
export interface Progress {
  readonly batch: (progress: BatchProgress) => void;
  readonly epoch: (progress: EpochProgress) => void;
  readonly stop: () => void;
}

/** What a line calls the columns of fit's history that it shows, in their order. */
export type ColumnNames = Readonly<Record<string, string>>;

const asInHistory: ColumnNames = {
  loss: 'loss',
  accuracy: 'accuracy',
  valLoss: 'valLoss',
  valAccuracy: 'valAccuracy',
};

/** On a terminal a bar for each epoch and then its line; on a pipe the line alone. */
export function progressOf(name: string, columns: ColumnNames = asInHistory): Progress {
  return process.stdout.isTTY ? bars(name, columns) : lines(name, columns);
}

function lines(name: string, columns: ColumnNames): Progress {
  const nothing = () => undefined;
  return {
    batch: nothing,
    epoch: ({ epoch, epochs, results }) => {
      const numbers = Object.entries(columns)
        .map(([key, shown]) => `${shown} ${results[key].toFixed(4)}`)
        .join('  ');
      console.log(`${name}  epoch ${epoch}/${epochs}  ${numbers}  ${results.seconds.toFixed(1)} s`);
    },
    stop: nothing,
  };
}

function bars(name: string, columns: ColumnNames): Progress {
  const format =
    `${name}  epoch {epoch}  {bar} {value}/{total}  loss {loss}  accuracy {accuracy}  ` +
    '{rate} images/s  {eta_formatted} left';
  const options: Options = { format, hideCursor: true, clearOnComplete: true, barsize: 20, etaBuffer: 100 };
  const bar = new SingleBar(options, Presets.shades_classic);
  const { epoch } = lines(name, columns);
  let start = 0;
  let images = 0;
  return {
    batch: (progress) => {
      if (progress.batch === 1) {
        start = performance.now();
        images = 0;
        bar.start(progress.batches, 0);
      } else {
        images += progress.examples; // the first batch is not timed: the clock starts at its end
      }
      const seconds = (performance.now() - start) / 1000;
      bar.update(progress.batch, {
        epoch: `${progress.epoch}/${progress.epochs}`,
        loss: progress.means.loss.toFixed(4),
        accuracy: progress.means.accuracy.toFixed(4),
        rate: images === 0 ? '…' : Math.round(images / seconds),
      });
    },
    epoch: (progress) => {
      bar.stop();
      epoch(progress);
    },
    stop: () => bar.stop(),
  };
}
