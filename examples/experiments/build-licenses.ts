/** Collects the licenses of bundled packages, which must be distributed together with the bundle. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Metafile } from 'esbuild';

/**
 * The license files of each package in the bundle, as one text: also notices, and licenses of third-party code that
 * the package includes.
 *
 * @param root The folder that the paths in `metafile` are relative to.
 */
export function licensesIn({ outputs }: Metafile, root: string): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const packages = inputs
    .filter((input) => input.includes('node_modules/'))
    .map((input) => packageOf(join(root, dirname(input))));
  return [...new Set(packages.map(licenseOf))].sort().join('\n');
}

/** The nearest parent folder whose package.json has a version; a package.json without one only sets a module type. */
function packageOf(folder: string): string {
  const file = join(folder, 'package.json');
  const isPackage = existsSync(file) && 'version' in (JSON.parse(readFileSync(file, 'utf8')) as object);
  return isPackage ? folder : packageOf(dirname(folder));
}

function licenseOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[sc]e|notice)/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).includes('node_modules'));
  if (files.length === 0) throw new Error(`licenses: ${name} has no license file`);
  const texts = files.sort().map((file) => readFileSync(file, 'utf8').trim());
  return `${name} ${version}\n\n${texts.join('\n\n')}\n\n${'-'.repeat(80)}\n`;
}
