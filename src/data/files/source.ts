import { inCache } from '../download/cache.ts';
import type { DownloadProgress } from '../download/download.ts';
import { DataError } from '../errors.ts';

/** Where data was found: in a folder that was named, in the cache, or in the cache after a download just now. */
export interface DataOrigin {
  readonly kind: 'folder' | 'cache' | 'download';
  readonly path: string;
}

/** How to look for data, and whether to get it. */
export interface SourceOptions {
  /**
   * The folder that the files are in. Default: that which the environment variable names, else the cache. A named folder
   * that is wrong is an error, and nothing is looked for elsewhere.
   */
  readonly dir?: string;
  /**
   * Compare checksums. Default true; false for data of the same form.
   */
  readonly verify?: boolean;
  /**
   * Download into the cache what is in no named folder and not yet in the cache. Default false: the network is
   * touched only when asked for.
   */
  readonly download?: boolean;
  /** Ends a download. What has arrived is kept, and the next download goes on from there. */
  readonly signal?: AbortSignal;
  /** Told how far the download is. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

export const sourceOptions: readonly (keyof SourceOptions)[] = [
  'dir',
  'verify',
  'download',
  'signal',
  'onProgress',
];

/** What there is to know about one set of data. */
export interface Source<T> {
  readonly op: string;
  /** The name of its folder in the cache. */
  readonly name: string;
  /** The environment variable that may name a folder. */
  readonly variable: string;
  /** How to get the data without us. */
  readonly hint: string;
  readonly read: (dir: string, verify: boolean) => Promise<T>;
  /** Whether a folder of the cache has all files, right or wrong. */
  readonly isComplete: (dir: string) => Promise<boolean>;
  readonly download: (dir: string) => Promise<void>;
}

/** The option or the variable → the cache → a download. */
export async function find<T extends object>(
  source: Source<T>,
  { dir, verify = true, download = false }: SourceOptions,
): Promise<T & { readonly origin: DataOrigin }> {
  const { op, name, variable, hint, read } = source;
  if (dir === '') throw new DataError(op, "the option dir is empty: ''", 'name a folder, or leave dir out');
  const named = dir ?? process.env[variable];
  if (named !== undefined && named !== '') {
    return { ...(await read(named, verify)), origin: { kind: 'folder', path: named } };
  }
  const path = inCache(name);
  if (await source.isComplete(path)) {
    try {
      return { ...(await read(path, verify)), origin: { kind: 'cache', path } };
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      if (!download) {
        const again = `remove the folder ${path}, or let ${op}({ download: true }) get it again`;
        throw new DataError(op, `the cache is damaged: ${cause.problem}`, again, { cause });
      }
    }
  }
  if (!download) {
    throw new DataError(
      op,
      `no folder is named: neither the option dir nor the environment variable ${variable} is set; and there is no ` +
        `earlier download in ${path}`,
      `${hint}, then set ${variable}=path/to/it, or pass ${op}({ dir }) (--data in the examples); or let ` +
        `${op}({ download: true }) get it`,
    );
  }
  await source.download(path);
  return { ...(await read(path, verify)), origin: { kind: 'download', path } };
}
