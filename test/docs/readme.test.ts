/** What a new reader finds first in the README. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './collect-examples.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');

describe('the README', () => {
  it('shows on its first screen both formulas, the installation and the first import', () => {
    const screen = readme.split('\n').slice(0, 30).join('\n');
    expect(screen).toContain('y  = γ·x̂ + β');
    expect(screen).toContain('dx = γ·rstd·(g − mean(g) − x̂·mean(g·x̂))');
    expect(screen).toMatch(/^npm install /m);
    expect(screen).toMatch(/^import \{.*\bBatchNorm1d\b.*\} from 'gammabeta';$/m);
  });

  it('names the file that npm pack writes', () => {
    const { name, version } = JSON.parse(read('package.json')) as { name: string; version: string };
    expect(readme).toContain(`npm install ./${name}-${version}.tgz`);
  });

  it.each(['npm ci && npm run mnist', 'npm ci && npm test'])(
    'has a line with all the set-up: %s',
    (command) => {
      const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, body]) => body);
      expect(blocks.flatMap((body) => body.split('\n'))).toContain(command);
    },
  );

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const file of ['README.md', 'CONTRIBUTING.md']) {
      const named = [...read(file).matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script);
      expect(named.length).toBeGreaterThan(3);
      expect(named.filter((script) => !(script in scripts))).toEqual([]);
    }
  });
});
