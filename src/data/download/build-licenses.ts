/** The licenses of packages that were bundled, which ask to go wherever the packages go. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Metafile } from 'esbuild';

/**
 * A text with the license of each package that something of is in the bundle, and with what belongs to it: notices, and
 * the licenses of others' work in it.
 *
 * @param root the folder that the bundle's paths begin in
 */
export function licensesIn({ outputs }: Metafile, root: string): string {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const packages = inputs
    .filter((input) => input.includes('node_modules/'))
    .map((input) => packageOf(join(root, dirname(input))));
  return [...new Set(packages.map(license))].sort().join('\n');
}

/** The nearest folder above with a package.json that has a version: some have others, to say what their files are. */
function packageOf(folder: string): string {
  const file = join(folder, 'package.json');
  const whole = existsSync(file) && 'version' in (JSON.parse(readFileSync(file, 'utf8')) as object);
  return whole ? folder : packageOf(dirname(folder));
}

function license(folder: string): string {
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
