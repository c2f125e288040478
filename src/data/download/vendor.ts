/**
 * The two libraries behind downloads, in functions with types of our own.
 *
 * They are dev dependencies: the package's only runtime dependency is gpu.js. `build-vendor.ts` replaces what tsc
 * makes of THIS file, and of no other, by a bundle with both in it, and puts their licenses beside it. So nothing
 * of ours may be imported here: a bundle of all of `gammabeta/node` would have copies of the main entry's classes,
 * and an error or a tensor of the one would be no `instanceof` the other's.
 */
import envPaths from 'env-paths';
import { extract } from 'tar/extract';

/** Where a program keeps, for one user, what can be fetched again: by the conventions of the platform. */
export function userCache(program: string): string {
  return envPaths(program, { suffix: '' }).cache;
}

/**
 * Unpacks the regular files of a .tar.gz whose names (without their folders) are wanted, into a folder that is there.
 *
 * @throws an Error for an archive that is damaged or cut short, and what the disk says
 */
export async function unpack(archive: string, folder: string, wanted: readonly string[]): Promise<void> {
  await extract({
    file: archive,
    cwd: folder,
    strict: true, // what is only warned of else is an error
    strip: 1,
    filter: (path, entry) =>
      'type' in entry && entry.type === 'File' && wanted.some((name) => path.endsWith(`/${name}`)),
    preserveOwner: false, // which root would
    noMtime: true,
  });
}
