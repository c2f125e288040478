import { Presets, SingleBar } from 'cli-progress';
import type { DownloadProgress } from '../../../src/node.ts';

/** Shows the progress of downloads. */
export interface DownloadDisplay {
  readonly update: (progress: DownloadProgress) => void;
  readonly stop: () => void;
}

/** A bar for each file on a terminal, else a line for each file. On stderr, since stdout is for results. */
export function downloadProgress(): DownloadDisplay {
  return process.stderr.isTTY ? bars() : lines();
}

function lines(): DownloadDisplay {
  let last = '';
  return {
    update: (progress) => {
      const line = describe(progress);
      if (line !== last) console.error(line);
      last = line;
    },
    stop: () => undefined,
  };
}

function bars(): DownloadDisplay {
  const format = '{what}  {bar} {megabytes}  {eta_formatted} left';
  const options = { format, hideCursor: true, clearOnComplete: true, barsize: 20, stream: process.stderr };
  let bar: SingleBar | null = null;
  let last = '';
  const stop = () => {
    bar?.stop();
    bar = null;
  };
  return {
    update: (progress) => {
      const { state, received, total } = progress;
      const line = describe(progress);
      if (line !== last) {
        stop();
        last = line;
        // A bar needs the size, which some servers do not send.
        if (state === 'receiving' && total !== undefined)
          bar = new SingleBar(options, Presets.shades_classic);
        else console.error(line);
        bar?.start(total ?? 0, received, { what: line, megabytes: '' });
      }
      bar?.update(received, { megabytes: `${megabytes(received)}/${megabytes(total ?? 0)} MB` });
    },
    stop,
  };
}

/** A line that is the same for all reports on one file from one address. */
function describe({ state, file, url }: DownloadProgress): string {
  return state === 'unpacking' ? `Unpacking ${file}` : `Downloading ${file} from ${new URL(url).host}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
