/** Where the examples' data comes from, and how they say so. */
import type { Command } from 'commander';
import { DataError, type Dataset } from '../../../src/index.ts';
import type { DataOrigin, DownloadProgress } from '../../../src/node.ts';
import { downloadProgress } from './download-progress.ts';

/** What `dataOptions` adds to a command. */
export interface DataOptions {
  readonly data?: string;
  readonly offline?: boolean;
}

/** The options of every example that needs data; `name` and `variable` as in {@link Wanted}. */
export function dataOptions(command: Command, name: string, variable: string): Command {
  return command
    .option(
      '--data <dir>',
      `the folder with the files of ${name} (default: ${variable}, the cache, a download)`,
    )
    .option('--offline', 'do not touch the network');
}

/** The two parts of a set of data. */
export interface Parts {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** What an example would like to have. */
export interface Wanted {
  /** As the output calls it: MNIST. */
  readonly name: string;
  /** The environment variable that may name a folder: MNIST_DIR. */
  readonly variable: string;
  /** loadMnist, or another with these options. */
  readonly load: (options: {
    readonly dir?: string;
    readonly download: boolean;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: DownloadProgress) => void;
  }) => Promise<Parts & { readonly origin: DataOrigin }>;
  /** What is taken where that can be neither found nor fetched. Without it, that is an error. */
  readonly standIn?: { readonly name: string; readonly make: () => Parts };
}

/** What an example got, under the name that its output has to give it. */
export interface Found extends Parts {
  /** MNIST, or the name of what stands in for it: for titles and JSON. */
  readonly name: string;
  /** Whether it is not what was wanted. */
  readonly isStandIn: boolean;
  /** Where it came from, for JSON: `folder`, `cache`, `download` or `built in`. */
  readonly from: DataOrigin['kind'] | 'built in';
  /** The same as a sentence, for the first line of the output. */
  readonly sentence: string;
}

/**
 * The data of an example: `--data` or the environment's folder → the cache → a download → the stand-in.
 *
 * @throws {DataError} a folder that was named is wrong: then nothing else is taken for it; or nothing was found and
 *   there is no stand-in
 * @throws the signal's reason
 */
export async function resolveData(
  wanted: Wanted,
  { data, offline = false }: DataOptions,
  signal: AbortSignal,
): Promise<Found> {
  const { name, variable, load, standIn } = wanted;
  const progress = downloadProgress(name);
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
    if (!(error instanceof DataError) || isNamed || standIn === undefined) throw error;
    const why = offline ? 'it is not in the cache, and --offline was given' : error.problem;
    return {
      ...standIn.make(),
      name: standIn.name,
      isStandIn: true,
      from: 'built in',
      sentence:
        `Data: ${standIn.name}, NOT ${name}, which could not be had: ${why}. ` +
        `Hint: --data DIR or ${variable}=DIR names a folder with ${name}.`,
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
