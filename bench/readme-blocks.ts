/** The blocks of README.md that quote committed results. */
import { format, resolveConfig } from 'prettier';
import { digits, margin, milliseconds, percent } from './format.ts';
import type { FormName } from './forms.ts';
import type { RatedTiming } from './kernel-timing.ts';
import { gpuProducts, gpuSteps } from './readme-gpu.ts';
import { backendOf, experiment, peers } from './readme-peers.ts';
import type { Report } from './suite-report.ts';
import { threads, type ThreadsReport } from './threads-report.ts';
import type { PeersReport } from './peers/peers-report.ts';
import { formsOf, markdownTable, notMeasured, type Result, type Results, source } from './results.ts';

/** The contents of `<!-- results: name -->` … `<!-- /results: name -->`, by name. */
const blocks: Readonly<Record<string, (results: Results) => string>> = {
  machine,
  ceilings: ({ suites }) => each(suites, ({ ceilings }) => ceilings.length > 0, ceilings, 'kernels'),
  matmul: ({ suites }) => kernels(suites, /^matmul/, 'gigaflops'),
  batchnorm: ({ suites }) => kernels(suites, /^batchnorm/, 'gigabytesPerSecond'),
  updates: ({ suites }) => kernels(suites, /Update$/, 'gigabytesPerSecond'),
  steps: ({ suites }) => each(suites, (report) => report.steps.length > 0, steps, 'step'),
  scaling: ({ suites }) => each(suites, (report) => report.scaling.length > 0, scaling, 'scaling'),
  threads: (results) => threads(results.threads),
  peers: ({ peers: reports }) => peers(reports),
  experiment: ({ peers: reports }) => experiment(reports),
  'gpu products': ({ gpus }) => gpuProducts(gpus),
  'gpu steps': ({ gpus }) => gpuSteps(gpus),
};

/** The README with all blocks rewritten from the results. */
export async function quoteResults(readme: string, results: Results): Promise<string> {
  let text = readme;
  for (const [name, content] of Object.entries(blocks)) {
    text = await quoted(text, `results: ${name}`, content(results));
  }
  return text;
}

/**
 * The document with `content` between `<!-- name -->` and `<!-- /name -->`, formatted by Prettier.
 *
 * @throws {Error} The document has no such block.
 */
async function quoted(document: string, name: string, content: string): Promise<string> {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`quoted: the document has no block ${begin} … ${end}`);
  const replaced = `${document.slice(0, from + begin.length)}\n\n${content}\n\n${document.slice(to)}`;
  return format(replaced, { ...(await resolveConfig(import.meta.filename)), parser: 'markdown' });
}

/** One table for each report that passes `has`. */
function each(
  reports: readonly Result<Report>[],
  has: (report: Report) => boolean,
  table: (report: Report) => string,
  command: string,
): string {
  const those = reports.filter(has);
  if (those.length === 0) return notMeasured(`${command} --json bench/results/${command}.json`);
  return those.map((report) => `${source(report)}\n\n${table(report)}`).join('\n\n');
}

function machine({ suites, peers, threads: threadReports }: Results): string {
  const all = [...suites, ...peers, ...threadReports];
  if (all.length === 0) return 'Not measured yet.';
  const machines = new Set(all.map(({ machine: { cpu, cores, os } }) => `${cpu}, ${cores} cores, ${os}`));
  const rows = all.map((report) => [
    `[${report.file}](results/${report.file})`,
    report.date.slice(0, 10),
    'browser' in report ? report.browser.split(',')[0] : report.machine.node,
    deviceOf(report),
    report.machine.load.toFixed(1),
  ]);
  const table = markdownTable(['results', 'measured', 'Node or browser', 'device', 'load before'], rows);
  return `${[...machines].join('; ')}.\n\n${table}`;
}

function deviceOf(report: Report | PeersReport | ThreadsReport): string {
  if (report.benchmark === 'gammabeta') return `${report.device.device} (${report.device.adapter})`;
  return report.benchmark === 'gammabeta peers' ? backendOf(report) : report.backend;
}

function ceilings({ ceilings: measured }: Report): string {
  return markdownTable(
    ['build', 'multiply-add, GFLOP/s', 'copy, GB/s', '`memory.copy`, GB/s'],
    measured.map(({ form, before, after }) => [
      `\`${form}\``,
      ...(['multiplyAdd', 'copyVectors', 'copyMemory'] as const).map(
        (rate) => `${digits(before[rate])} … ${digits(after[rate])}`,
      ),
    ]),
  );
}

type Rate = 'gigaflops' | 'gigabytesPerSecond';
const units: Readonly<Record<Rate, string>> = { gigaflops: 'GFLOP/s', gigabytesPerSecond: 'GB/s' };

/** A table of the kernels whose names match, in all forms; kernels that have only a reference are left out. */
function kernels(reports: readonly Result<Report>[], name: RegExp, rate: Rate): string {
  const chosen = (report: Report) =>
    report.kernels.filter(({ kernel, form }) => name.test(kernel) && formsOf(report).includes(form));
  return each(
    reports,
    (report) => chosen(report).length > 0,
    (report) => kernelTable(chosen(report), formsOf(report), rate),
    'kernels',
  );
}

function kernelTable(timings: readonly RatedTiming[], forms: readonly FormName[], rate: Rate): string {
  const builds = forms.filter((form) => form !== 'reference');
  const fused = timings.filter(({ form }) => form !== 'reference');
  const lines = new Set(fused.map(({ kernel, size }) => `\`${kernel}\` ${size}`));
  const rows = [...lines].map((line) => {
    const inForm = (form: FormName) =>
      timings.find((timing) => timing.form === form && `\`${timing.kernel}\` ${timing.size}` === line);
    const reference = inForm('reference');
    return [
      line,
      reference === undefined ? '–' : milliseconds(reference.seconds),
      ...builds.flatMap((form) => cells(inForm(form), rate)),
    ];
  });
  const head = builds.flatMap((form) => [`\`${form}\`, ms`, units[rate], 'of ceiling', '× ref.']);
  return markdownTable(['kernel', 'reference, ms', ...head], rows);
}

function cells(timing: RatedTiming | undefined, rate: Rate): string[] {
  if (timing === undefined) return ['–', '–', '–', '–'];
  const { seconds, ofCeiling, speedup } = timing;
  return [
    milliseconds(seconds),
    digits(timing[rate]),
    ofCeiling === null ? '–' : percent(100 * ofCeiling.fraction),
    speedup === null ? '–' : digits(speedup),
  ];
}

function steps(report: Report): string {
  return markdownTable(
    ['network', 'batch', 'input', 'ms', '±', 'forward', 'backward', 'SGD'],
    report.steps.map(({ net, batch, inputs, parts, ...timing }) => [
      `\`${net}\``,
      String(batch),
      inputs,
      milliseconds(timing.seconds),
      margin(timing),
      ...[parts.forward, parts.backward, parts.update].map(milliseconds),
    ]),
  );
}

function scaling(report: Report): string {
  return markdownTable(
    ['cost of', 'against', 'from … to', 'exponent', 'R²'],
    report.scaling.map(({ name, over, fit: { exponent, r2, from, to } }) => [
      name,
      over,
      `${from} … ${to}`,
      exponent.toFixed(2),
      r2.toFixed(3),
    ]),
  );
}
