/** The generated part of `examples/experiments/lab/README.md`, and its pictures: see `npm run docs`. */
import { formatNumber } from '../report/numbers.ts';
import { pictureSvg } from '../report/svg.ts';
import type { Claim } from './claim.ts';
import { addressOf } from './derivation.ts';
import { findingsOf, type LabResults } from './results.ts';
import { formatDigits } from './summary.ts';

/** The names and contents of the files in `examples/experiments/results/lab`. */
export function labPictures(results: LabResults): Map<string, string> {
  return new Map(
    findingsOf(results).flatMap(({ claim, finding }) =>
      finding.figures.map((figure, i) => [pictureName(claim.name, i), pictureSvg(figure)]),
    ),
  );
}

/** A Markdown table of the verdicts, with links to the sections of the document. */
export function labVerdicts(results: LabResults, document: string): string {
  const rows = findingsOf(results).map(({ claim, finding }) =>
    row([`[${claim.statement}](${document}#${claim.name})`, finding.verdict]),
  );
  return ['| claim | verdict |', '| --- | --- |', ...rows].join('\n');
}

/** Markdown: the table of verdicts, then one section for each claim. */
export function labDocument(results: LabResults): string {
  const findings = findingsOf(results);
  const { data, trainingImages, testImages, effort, machine } = results;
  return [
    `On ${data}, ${formatNumber(trainingImages)} images to train on and ${formatNumber(testImages)} to test; \`--${effort}\`; ${machine.cpu}, Node ` +
      `${machine.node}, ${machine.device}.`,
    '',
    labVerdicts(results, ''),
    ...findings.flatMap(({ claim, finding }) => [
      '',
      `### ${claim.name}`,
      '',
      `**${claim.statement}** ${capitalized(finding.verdict)}.`,
      '',
      `_Why._ ${claim.why.text} ${derivationLink(claim)}`,
      '',
      `_Method._ ${claim.method}`,
      '',
      '| part | quantity | mean | 95 % interval | expected | verdict |',
      '| --- | --- | --- | --- | --- | --- |',
      ...finding.tests.map((test) =>
        row([
          test.statement,
          test.quantity,
          `**${formatDigits(test.mean)}**`,
          test.interval.map(formatDigits).join(' … '),
          `${test.expected} ${formatNumber(test.threshold)}`,
          test.verdict,
        ]),
      ),
      '',
      finding.figures
        .map(
          (figure, i) =>
            `![${figure.title}. ${figure.caption}](../results/lab/${pictureName(claim.name, i)})`,
        )
        .join('\n'),
    ]),
  ].join('\n');
}

/** A link such as `[Derivation: Reading it](…)`. */
function derivationLink({ why: { section } }: Claim): string {
  const address = addressOf(section, import.meta.dirname);
  if (address === null) throw new Error('lab: kernels/batchnorm.md is missing');
  return `[Derivation: ${section}](${address})`;
}

/** A row of a Markdown table. */
function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function pictureName(claim: string, i: number): string {
  return `${claim}-${i + 1}.svg`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
