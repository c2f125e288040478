/** Finds the data of an experiment, and describes where it comes from. */
import type { Command } from 'commander';
import { DataError, type Dataset } from '../../../src/index.ts';
import type { DataOrigin, DownloadProgress } from '../../../src/node.ts';
import { downloadProgress } from './download-progress.ts';

/** The options that `dataOptions` adds to a command. */
export interface DataOptions {
  readonly data?: string;
  readonly offline?: boolean;
}

/** Adds the options of every experiment that needs data; `name` and `variable` as in {@link Wanted}. */
export function dataOptions(command: Command, name: string, variable: string): Command {
  return command
    .option(
      '--data <dir>',
      `the folder with the files of ${name} (default: ${variable}, the cache, a download)`,
    )
    .option('--offline', 'do not use the network');
}

/** The two parts of a dataset. */
export interface Parts {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** The data that an experiment is made for. */
export interface Wanted {
  /** Its name in the output: MNIST. */
  readonly name: string;
  /** The environment variable that may name a folder: MNIST_DIR. */
  readonly variable: string;
  /** loadMnist, or another function with these options. */
  readonly load: (options: {
    readonly dir?: string;
    readonly download: boolean;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: DownloadProgress) => void;
  }) => Promise<Parts & { readonly origin: DataOrigin }>;
  /** The data to use if the wanted data cannot be found or downloaded. Without it, that is an error. */
  readonly standIn?: { readonly name: string; readonly make: () => Parts };
}

/** The data that an experiment uses. */
export interface Found extends Parts {
  /** MNIST, or the name of the stand-in: for titles and JSON. */
  readonly name: string;
  /** Whether it is the stand-in. */
  readonly isStandIn: boolean;
  /** Where it came from, for JSON: `folder`, `cache`, `download` or `built in`. */
  readonly from: DataOrigin['kind'] | 'built in';
  /** A sentence with name and origin, for the first line of the output. */
  readonly sentence: string;
}

/**
 * Finds the data of an experiment, in this order: the folder of `--data` or of the environment variable, else the cache,
 * else a download, else the stand-in.
 *
 * @throws {DataError} if a folder is named and its files are missing or wrong; if no data is found and there is no
 *   stand-in
 * @throws the signal's reason
 */
export async function resolveData(
  wanted: Wanted,
  { data, offline = false }: DataOptions,
  signal: AbortSignal,
): Promise<Found> {
  const { name, variable, load, standIn } = wanted;
  const progress = downloadProgress();
  try {
    const { origin, ...parts } = await load({
      ...(data !== undefined && { dir: data }),
      download: !offline,
      signal,
      onProgress: progress.update,
    });
    return { ...parts, name, isStandIn: false, from: origin.kind, sentence: sentenceOf(name, origin) };
  } catch (error) {
    signal.throwIfAborted();
    const isNamed = data !== undefined || (process.env[variable] ?? '') !== '';
    if (!(error instanceof DataError) || isNamed) throw error;
    const isDamaged = error.cause instanceof DataError;
    const why = offline && !isDamaged ? 'it is not in the cache, and --offline was given' : error.problem;
    const folder = `--data DIR or ${variable}=DIR names a folder with ${name}`;
    if (standIn === undefined) {
      if (!offline) throw error;
      throw new DataError(name, why, `leave out --offline to download it; or ${folder}`, { cause: error });
    }
    return {
      ...standIn.make(),
      name: standIn.name,
      isStandIn: true,
      from: 'built in',
      sentence: `Data: ${standIn.name}, NOT ${name}, which is not available: ${why}. Hint: ${folder}.`,
    };
  } finally {
    progress.stop();
  }
}

function sentenceOf(name: string, { kind, path }: DataOrigin): string {
  const from = {
    folder: `from ${path}`,
    cache: `from the cache, ${path}`,
    download: `downloaded into ${path}`,
  };
  return `Data: ${name}, ${from[kind]}.`;
}
