import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { expectBoolean, expectFunction, expectOptions, shown, ValueError } from '../../tensor/errors.ts';
import { DataError } from '../data-error.ts';
import type { DownloadProgress } from '../download/download.ts';

/** Where data was found: in a folder that the user named, in the cache, or in the cache after a download by this call. */
export interface DataOrigin {
  readonly kind: 'folder' | 'cache' | 'download';
  readonly path: string;
}

/** How to find data, and whether to download it. */
export interface SourceOptions {
  /**
   * The folder with the files. Default: the folder that the environment variable names, else the cache. If a folder
   * is named, no other place is searched: missing or wrong files in it are an error.
   */
  readonly dir?: string;
  /** Whether to compare checksums. Default true; use false for other data of the same form. */
  readonly verify?: boolean;
  /**
   * Whether to download data that is not in the cache into the cache. Default false: the network is used only on
   * request. Has no effect if a folder is named.
   */
  readonly download?: boolean;
  /** Ends a download. */
  readonly signal?: AbortSignal;
  /** Is called with the progress of a download. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Checks options, also those from plain JavaScript. */
export function expectSource(op: string, options: SourceOptions): void {
  expectOptions(op, options, ['dir', 'verify', 'download', 'signal', 'onProgress']);
  const { dir = '', verify = true, download = false, signal, onProgress } = options;
  const given: unknown = dir;
  if (typeof given !== 'string')
    throw new ValueError(op, `dir is ${shown(given)}`, 'name a folder, or leave dir out');
  expectBoolean(op, 'verify', verify);
  expectBoolean(op, 'download', download);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ValueError(op, `signal is ${shown(signal)}`, 'pass controller.signal of an AbortController');
  }
  if (onProgress !== undefined) expectFunction(op, 'onProgress', onProgress);
}

/** A set of data, and how to read and download it. */
export interface Source<T> {
  readonly op: string;
  /** The name of its folder in the cache. */
  readonly name: string;
  /** The environment variable that may name a folder. */
  readonly variable: string;
  /** How to get the data by hand. */
  readonly hint: string;
  readonly read: (dir: string, verify: boolean) => Promise<T>;
  /** Whether a folder of the cache has all files. Their contents are not checked. */
  readonly isComplete: (dir: string) => Promise<boolean>;
  readonly download: (dir: string) => Promise<void>;
}

/** Reads data from the folder that the option or the variable names, else from the cache, else after a download. */
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
      `${hint}, then set ${variable}=path/to/it, or pass ${op}({ dir }); or let ${op}({ download: true }) get it`,
    );
  }
  await source.download(path);
  return { ...(await read(path, verify)), origin: { kind: 'download', path } };
}

/**
 * The path of a folder in the cache: below the folder that the environment variable GAMMABETA_CACHE names, else below
 * the user's cache folder (`~/.cache/gammabeta` or `$XDG_CACHE_HOME/gammabeta` on Linux, `~/Library/Caches/gammabeta`
 * on macOS, `%LOCALAPPDATA%\gammabeta\Cache` on Windows).
 */
export function inCache(name: string): string {
  const folder = process.env.GAMMABETA_CACHE;
  return join(folder ? resolve(folder) : envPaths('gammabeta', { suffix: '' }).cache, name);
}
