/** The licenses of packages whose code a bundle contains. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * The licenses and notices of all packages that the files belong to.
 *
 * @param files Absolute paths; only those in `node_modules` count.
 * @throws {Error} A package has no license file.
 */
export function licensesOfFiles(files: readonly string[]): string {
  const packages = files
    .filter((file) => file.includes('node_modules/'))
    .map((file) => packageOf(dirname(file)));
  return [...new Set(packages.map(licensesOf))].sort().join('\n');
}

/** The nearest folder above with a package.json that has a version; some folders have one that only sets `type`. */
function packageOf(folder: string): string {
  const file = join(folder, 'package.json');
  const isPackage = existsSync(file) && 'version' in (JSON.parse(readFileSync(file, 'utf8')) as object);
  return isPackage ? folder : packageOf(dirname(folder));
}

/** The license files and notices in the folder of a package, with the name of the package. */
function licensesOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[sc]e|notice)/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).includes('node_modules'));
  if (files.length === 0) throw new Error(`the licenses: ${name} has no license file`);
  const texts = files.sort().map((file) => readFileSync(file, 'utf8').trim());
  return `${name} ${version}\n\n${texts.join('\n\n')}\n\n${'-'.repeat(80)}\n`;
}
