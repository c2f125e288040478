import { Presets, SingleBar } from 'cli-progress';
import type { DownloadProgress } from '../../../src/node.ts';

/** What `onProgress` reports to. */
export interface DownloadDisplay {
  readonly update: (progress: DownloadProgress) => void;
  readonly stop: () => void;
}

/** On a terminal a bar for each file, elsewhere a line; on stderr, for stdout belongs to the results. */
export function downloadProgress(name: string): DownloadDisplay {
  return process.stderr.isTTY ? bars(name) : lines(name);
}

function lines(name: string): DownloadDisplay {
  let last = '';
  return {
    update: (progress) => {
      const line = describe(name, progress);
      if (line !== last) console.error(line);
      last = line;
    },
    stop: () => undefined,
  };
}

function bars(name: string): DownloadDisplay {
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
      const line = describe(name, progress);
      if (line !== last) {
        stop();
        last = line;
        // Where the server does not say how much it is, a bar would have no end.
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

/** The same for all that is told of one file from one address. */
function describe(name: string, { state, file, url }: DownloadProgress): string {
  switch (state) {
    case 'waiting':
      return `Another process is downloading ${name}: waiting for it`;
    case 'unpacking':
      return `Unpacking ${file}`;
    case 'receiving':
      return `Downloading ${file} from ${new URL(url).host}`;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
