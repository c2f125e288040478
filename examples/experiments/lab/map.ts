/**
 * What the two notebooks claim that this project reproduces, claim by claim, and what tests each. Notebook A trains a
 * network on CIFAR-10 in PyTorch, notebook B one on MNIST in Keras.
 */
import type { Comparison } from '../cifar10/comparison.ts';
import { average, type NetRun } from '../cli/results.ts';
import { published, type Results } from '../mnist/results.ts';
import type { Test } from './claim.ts';
import { claims } from './claims.ts';
import { differences } from './outcomes.ts';
import { findingsOf, type Judged, type LabResults } from './results.ts';
import { decide, overall } from './statistics.ts';
import { deciding, sentence } from './summary.ts';

interface MapRow {
  /** The claim in our own words. */
  readonly claim: string;
  readonly notebooks: 'A' | 'B' | 'A, B';
  /** The claim of the lab that tests it, and the parts that do if not all; or a command that does. */
  readonly tested:
    { readonly by: string; readonly parts?: RegExp } | { readonly command: 'mnist' | 'cifar10' | 'time' };
}

export const map: readonly MapRow[] = [
  {
    claim: 'It makes training faster and steadier, in fewer epochs',
    notebooks: 'A, B',
    tested: { by: 'speed' },
  },
  {
    claim: 'It does so because the inputs of layers drift less',
    notebooks: 'A, B',
    tested: { by: 'covariate-shift' },
  },
  { claim: 'Learning rates may be higher', notebooks: 'A, B', tested: { by: 'learning-rate' } },
  { claim: 'The initial weights matter less', notebooks: 'A, B', tested: { by: 'initialization' } },
  {
    claim: 'It regularizes, so dropout is needed less',
    notebooks: 'A, B',
    tested: { by: 'regularization', parts: /gap|dropout/ },
  },
  {
    claim: 'It generalizes better, most of all from little data',
    notebooks: 'A, B',
    tested: { by: 'regularization', parts: /accuracy is higher/ },
  },
  { claim: 'Deep networks keep gradients of a usable size', notebooks: 'B', tested: { by: 'gradients' } },
  { claim: 'Fewer hyperparameters need tuning', notebooks: 'B', tested: { by: 'tuning' } },
  {
    claim: 'Many activation functions work with it',
    notebooks: 'A',
    tested: { by: 'activations', parts: /higher than without/ },
  },
  { claim: 'The bias in front of it can be dropped', notebooks: 'B', tested: { by: 'bias' } },
  { claim: 'Outputs have mean β and deviation γ', notebooks: 'B', tested: { by: 'outputs' } },
  { claim: 'With γ and β the network learns what suits it', notebooks: 'A', tested: { by: 'gamma-beta' } },
  { claim: 'Any batch size will do', notebooks: 'B', tested: { by: 'batch-size' } },
  { claim: 'Tiny batches give unreliable statistics', notebooks: 'B', tested: { by: 'small-batches' } },
  {
    claim: 'Running statistics or larger batches help there',
    notebooks: 'B',
    tested: { by: 'small-batch-remedies', parts: /running statistics|accumulated/ },
  },
  { claim: 'It takes memory, for the running statistics', notebooks: 'B', tested: { by: 'memory' } },
  {
    claim: 'The order inside a batch influences the statistics',
    notebooks: 'B',
    tested: { by: 'order-in-batch', parts: /^Permuting/ },
  },
  {
    claim: 'Shuffling in each epoch removes that influence',
    notebooks: 'B',
    tested: { by: 'shuffling', parts: /a new order in each epoch/ },
  },
  {
    claim: 'Recurrent networks and self-attention do not suit it',
    notebooks: 'B',
    tested: { by: 'sequences' },
  },
  {
    claim: 'On MNIST, ten epochs give 94 to 95 % with it, 91 % without',
    notebooks: 'B',
    tested: { command: 'mnist' },
  },
  { claim: 'An epoch takes about 1.4 times as long with it', notebooks: 'B', tested: { command: 'time' } },
  {
    claim: 'On CIFAR-10 the network with it trains faster and generalizes better',
    notebooks: 'A',
    tested: { command: 'cifar10' },
  },
];

interface Committed {
  readonly lab: LabResults;
  readonly mnist: Results;
  readonly cifar10: Comparison;
}

/** A Markdown table: each claim with its verdict and the figures that decide it, from the committed results. */
export function mapTable(results: Committed): string {
  const findings = findingsOf(results.lab);
  const rows = map.map(({ claim, notebooks, tested }, k) => {
    const [verdict, decided, link] = cellsOf(tested, findings, results);
    const cells = [String(k + 1), claim, notebooks, verdict, decided, link];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    '| | claim | notebook | verdict | decided by | tested by |',
    '| --: | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function cellsOf(
  tested: MapRow['tested'],
  findings: readonly Judged[],
  { mnist, cifar10 }: Committed,
): [verdict: string, decided: string, link: string] {
  if ('command' in tested) return ofCommand(tested.command, mnist, cifar10);
  const judged = findings.find(({ claim }) => claim.name === tested.by);
  if (judged === undefined) {
    expectClaim(tested.by);
    return [
      'no committed result',
      `\`npm run lab -- --full --claims ${tested.by}\` tests it.`,
      `[its file](claims/${tested.by}.ts)`,
    ];
  }
  const tests = judged.finding.tests.filter(({ statement }) => tested.parts?.test(statement) ?? true);
  if (tests.length === 0) throw new RangeError(`map: ${tested.by} has no such parts: ${tested.parts}`);
  return [overall(tests), sentences(tests), `[${tested.by}](#${tested.by})`];
}

/** The tests that explain a verdict. */
const sentences = (tests: readonly Test[]): string =>
  deciding({ tests })
    .map((test) => `${sentence(test)}: ${test.verdict}.`)
    .join(' ');

function expectClaim(name: string): void {
  if (!claims.some((claim) => claim.name === name)) throw new RangeError(`map: unknown claim: ${name}`);
}

/** The accuracies at the end, or the times of an epoch, of the networks with and without batch normalization. */
function ofCommand(
  command: 'mnist' | 'cifar10' | 'time',
  mnist: Results,
  cifar10: Comparison,
): [verdict: string, decided: string, link: string] {
  if (command === 'cifar10') {
    const tests = testsOnCifar10(cifar10.gammabeta.runs);
    const decided = `Trained on ${cifar10.gammabeta.trainingImages.toLocaleString('en')} images. ${sentences(tests)}`;
    return [overall(tests), decided, '[`npm run cifar10`](../cifar10/README.md)'];
  }
  const link = '[`npm run mnist`](../../../README.md#the-experiment)';
  if (command === 'time') {
    const ratio = seconds(mnist.runs, 'bn') / seconds(mnist.runs, 'plain');
    const isNear = Math.abs(ratio / RATIO - 1) < 0.2;
    const decided = `An epoch takes ${ratio.toFixed(2)} times as long with it; within a fifth of ${RATIO} counts.`;
    return [isNear ? 'supported' : 'not supported', decided, link];
  }
  const last = accuracies(mnist.runs);
  const keras = (net: 'plain' | 'bn') => published[net]?.at(-1)?.valAccuracy ?? NaN;
  const isNear = (['plain', 'bn'] as const).every((net) => Math.abs(last[net] - keras(net)) < 0.01);
  const theirs = pair({ plain: keras('plain'), bn: keras('bn') });
  const decided = `Validation accuracy with and without it: ${pair(last)}; within 1 % of Keras' ${theirs} counts.`;
  return [isNear ? 'supported' : 'not supported', decided, link];
}

/** Whether it trains faster and generalizes better, by the same rule as the claims of the lab. */
function testsOnCifar10(runs: Comparison['gammabeta']['runs']): Test[] {
  const after = (net: string, column: 'valAccuracy' | 'valLoss', epoch: number) =>
    runs.filter((run) => run.net === net).map(({ history }) => history[column].at(epoch) ?? NaN);
  const gain = (epoch: number) =>
    decide({
      statement: `${epoch === 0 ? 'After one epoch' : 'At the end'}, test accuracy is higher than without it`,
      quantity: 'test accuracy with it − without',
      expected: 'above',
      threshold: 0,
      values: differences(after('bn', 'valAccuracy', epoch), after('plain', 'valAccuracy', epoch)),
    });
  const loss = decide({
    statement: 'At the end, test loss is lower than without it',
    quantity: 'test loss with it − without',
    expected: 'below',
    threshold: 0,
    values: differences(after('bn', 'valLoss', -1), after('plain', 'valLoss', -1)),
  });
  return [gain(0), gain(-1), loss];
}

/** How much longer an epoch takes with batch normalization, in notebook B. */
const RATIO = 1.4;

function accuracies<Name extends string>(runs: readonly NetRun<Name>[]): { plain: number; bn: number } {
  const of = (net: string) =>
    average(runs.filter((run) => run.net === net).map((run) => run.history.valAccuracy.at(-1) ?? NaN));
  return { plain: of('plain'), bn: of('bn') };
}

/** Seconds per epoch, averaged over all epochs and seeds. */
function seconds<Name extends string>(runs: readonly NetRun<Name>[], net: Name): number {
  return average(runs.filter((run) => run.net === net).flatMap((run) => [...run.history.seconds]));
}

/** `94.8 and 91.5 %`. */
const pair = ({ bn, plain }: { plain: number; bn: number }): string =>
  `${(100 * bn).toFixed(1)} and ${(100 * plain).toFixed(1)} %`;
