import { join } from 'node:path';
import { download, type DownloadOptions, filling } from './download.ts';
import { type MnistFile, mnistFiles, wrongWith } from '../files/mnist-file.ts';

/** Where files of MNIST's form are to be had. */
export interface MnistMirrors {
  readonly files: readonly MnistFile[];
  /** Addresses of folders, ending in a slash; they are tried in this order. */
  readonly mirrors: readonly string[];
}

/** MNIST as it is served by two who keep it; its own host is gone, and answers with a page and status 200. */
export const publicMnist: MnistMirrors = {
  files: mnistFiles,
  mirrors: [
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
  ],
};

/** Gets what is missing or damaged in a folder of the cache: four gzip files, as they are served. */
export function downloadMnist(
  folder: string,
  { files, mirrors }: MnistMirrors,
  options: DownloadOptions,
): Promise<void> {
  return filling(folder, options, async () => {
    for (const file of files) {
      const path = join(folder, `${file.name}.gz`);
      if ((await wrongWith(file, path)) === null) continue; // from an earlier download, or another's
      const urls = mirrors.map((mirror) => `${mirror}${file.name}.gz`);
      const most = file.size + 10_000; // not even a wrapper that does not compress is longer
      await download(path, { urls, most, wrong: (part) => wrongWith(file, part) }, options);
    }
  });
}
