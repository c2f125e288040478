import { type Options, Presets, SingleBar } from 'cli-progress';
import type { BatchProgress, EpochProgress } from '../../../src/index.ts';

/** Shows the progress of `fit`. */
export interface Progress {
  readonly batch: (progress: BatchProgress) => void;
  readonly epoch: (progress: EpochProgress) => void;
  readonly stop: () => void;
}

/** The columns of fit's history to show, in this order, with their names in the output. */
export type ColumnNames = Readonly<Record<string, string>>;

const asInHistory: ColumnNames = {
  loss: 'loss',
  accuracy: 'accuracy',
  valLoss: 'valLoss',
  valAccuracy: 'valAccuracy',
};

/** Prints a line for each epoch; on a terminal also shows a bar during the epoch. */
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
        images += progress.examples; // the clock starts after the first batch
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
