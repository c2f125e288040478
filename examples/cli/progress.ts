import { type Options, Presets, SingleBar } from 'cli-progress';
import type { BatchProgress, EpochProgress } from '../../src/index.ts';

/** What `fit` reports to. */
export interface Progress {
  readonly batch: (progress: BatchProgress) => void;
  readonly epoch: (progress: EpochProgress) => void;
  readonly stop: () => void;
}

/** On a terminal a bar for each epoch and then its line; on a pipe the line alone. */
export function progressOf(name: string): Progress {
  return process.stdout.isTTY ? bars(name) : lines(name);
}

function lines(name: string): Progress {
  const nothing = () => undefined;
  const shown = ['loss', 'accuracy', 'valLoss', 'valAccuracy'];
  return {
    batch: nothing,
    epoch: ({ epoch, epochs, results }) => {
      const numbers = shown.map((key) => `${key} ${results[key].toFixed(4)}`).join('  ');
      console.log(`${name}  epoch ${epoch}/${epochs}  ${numbers}  ${results.seconds.toFixed(1)} s`);
    },
    stop: nothing,
  };
}

function bars(name: string): Progress {
  const format =
    `${name}  epoch {epoch}  {bar} {value}/{total}  loss {loss}  accuracy {accuracy}  ` +
    '{rate} images/s  {eta_formatted} left';
  const options: Options = { format, hideCursor: true, clearOnComplete: true, barsize: 20, etaBuffer: 100 };
  const bar = new SingleBar(options, Presets.shades_classic);
  const { epoch } = lines(name);
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
