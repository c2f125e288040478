import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Claim, Outcome, Run, Setting } from '../../lab/claim.ts';
import type { Comparison } from '../../cifar10/comparison.ts';
import { claims } from '../../lab/claims.ts';
import { addressOf } from '../../lab/derivation.ts';
import { labDocument, labPictures, labVerdicts } from '../../lab/document.ts';
import { map, mapTable } from '../../lab/map.ts';
import { findingsOf, type LabResults, resultsOf } from '../../lab/results.ts';
import { terminalFigure, verdictTable } from '../../lab/summary.ts';
import type { Results } from '../../mnist/results.ts';
import { quoted } from '../../results/quotes.ts';
import { root } from '../../../tests/run-example.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const results = JSON.parse(read('examples/experiments/results/lab.json')) as LabResults;

describe("the lab's committed results", () => {
  it('have the first claims, on MNIST, with every run of the full effort', () => {
    expect(results).toMatchObject({ experiment: 'lab', data: 'MNIST', effort: 'full' });
    expect(results.claims.length).toBeGreaterThanOrEqual(12);
    const first = claims.slice(0, results.claims.length); // later ones may have no committed results yet
    expect(results.claims.map(({ name }) => name)).toEqual(first.map(({ name }) => name));
    for (const { claim } of findingsOf(results)) {
      const runs = results.claims.find(({ name }) => name === claim.name)?.runs ?? [];
      expect(runs.map(({ setting }) => setting)).toEqual(claim.settings('full'));
    }
  });

  it('have verdicts computed from their runs', () => {
    for (const committed of results.claims) {
      const claim = claims.find(({ name }) => name === committed.name);
      expect(claim && resultsOf(claim, committed.runs)).toEqual(committed);
    }
  });

  it('are shown in the documents and pictures (npm run docs)', async () => {
    const document = read('examples/experiments/lab/README.md');
    expect(await quoted(document, 'lab', labDocument(results))).toBe(document);
    const committed = {
      lab: results,
      mnist: JSON.parse(read('examples/experiments/results/mnist.json')) as Results,
      cifar10: JSON.parse(read('examples/experiments/results/cifar10.json')) as Comparison,
    };
    expect(await quoted(document, 'map', mapTable(committed))).toBe(document);
    const readme = read('README.md');
    expect(await quoted(readme, 'verdicts', labVerdicts(results, 'examples/experiments/lab/README.md'))).toBe(
      readme,
    );
    for (const { claim } of findingsOf(results)) {
      const { text, section } = claim.why;
      const address = addressOf(section, join(root, 'examples/experiments/lab')) ?? '';
      expect(address).toMatch(/^\.\.\/\.\.\/\.\.\/kernels\/batchnorm\.md#[\w-]+$/);
      expect(document).toContain(`_Why._ ${text} [Derivation: ${section}](${address})`);
    }
    const pictures = labPictures(results);
    expect(readdirSync(join(root, 'examples/experiments/results/lab')).sort()).toEqual(
      [...pictures.keys()].sort(),
    );
    for (const [file, picture] of pictures)
      expect(picture === read(`examples/experiments/results/lab/${file}`), file).toBe(true);
  });
});

it('the map names every claim of the lab, and only those', () => {
  const named = map.flatMap(({ tested }) => ('by' in tested ? [tested.by] : []));
  const others = ['workers', 'cost']; // which the notebooks do not make
  expect([...new Set([...named, ...others])].sort()).toEqual(claims.map(({ name }) => name).sort());
});

it.each([80, 115, 200])('has a table of verdicts for a terminal of %i columns', (columns) => {
  const lines = verdictTable(results, columns).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBe(Math.min(columns, 115));
  for (const { name } of results.claims) expect(lines.join('')).toContain(`│ ${name}: `);
  expect(lines.join('')).not.toContain('…│'); // no text is truncated
});

it('has a figure for the terminal', () => {
  const lines = terminalFigure(results).split('\n');
  expect(lines[0]).toBe('Accuracy by learning rate:  o without   ● with batch normalization');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

describe('a verdict', () => {
  /** The runs with the two networks exchanged. */
  const swapped = (runs: readonly Run<Setting, Outcome>[]) => {
    const places = { none: 'before', before: 'none' } as const;
    return runs.map(({ setting, outcome }) => {
      const norm = setting.norm === 'none' || setting.norm === 'before' ? places[setting.norm] : setting.norm;
      return { setting: { ...setting, norm: norm ?? null }, outcome };
    });
  };
  const verdictsOf = (claim: Claim, runs: readonly Run<Setting, Outcome>[]) =>
    claim.judge(runs).tests.map(({ verdict }) => verdict);

  it.each(['learning-rate', 'initialization', 'gradients', 'small-batches', 'covariate-shift', 'bias'])(
    'of %s changes if the networks are exchanged',
    (name) => {
      const claim = claims.find((each) => each.name === name);
      const { runs = [] } = results.claims.find((each) => each.name === name) ?? {};
      if (claim === undefined) throw new Error(`no claim is called ${name}`);
      const supported = verdictsOf(claim, runs).filter((verdict) => verdict === 'supported').length;
      const after = verdictsOf(claim, swapped(runs));
      expect(supported).toBeGreaterThan(0);
      expect(after.filter((verdict) => verdict === 'supported').length).toBeLessThan(supported);
      expect(after).toContain('not supported');
    },
  );
});
