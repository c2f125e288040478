/** A report with every kind of content, and with words that are hard to lay out. */
import { type BarChart, type Chart, type LineChart, type Report, verdicts } from '../report/model.ts';
import { cifar10Classes } from '../../../src/index.ts';

const long = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
const classes = [...cifar10Classes.slice(0, 9), 'a truck with a trailer'];
const steps = Array.from({ length: 500 }, (_, i) => i + 1);

export const lines: LineChart = {
  kind: 'lines',
  x: { name: 'epoch' },
  y: { name: 'validation accuracy, as a share of all of the images that were not trained on' },
  series: [
    {
      name: 'plain',
      colour: 'plain',
      points: [
        [1, 0.7],
        [2, 0.8],
        [3, NaN],
        [10, 0.9],
      ],
      band: [
        [1, 0.65, 0.75],
        [2, 0.75, 0.85],
        [3, NaN, NaN],
        [10, 0.85, 0.95],
      ],
    },
    {
      name: 'bn & <b>',
      colour: 'bn',
      style: 'dashed',
      points: [
        [1, 0.8],
        [10, 0.97],
      ],
    },
    {
      name: 'with it before each activation',
      colour: 'other',
      style: 'dotted',
      points: [
        [1, 0.79],
        [10, 0.96],
      ],
    },
    {
      name: 'a fourth network',
      colour: 'fourth',
      points: [
        [1, 0.6],
        [10, 0.92],
      ],
    },
    {
      name: 'published',
      colour: 'neutral',
      style: 'points',
      points: [
        [1, 0.789],
        [10, 0.915],
      ],
    },
  ],
};

export const manyPoints: LineChart = {
  kind: 'lines',
  x: { name: 'step' },
  y: { name: 'loss', scale: 'log' },
  series: [{ name: 'bn', colour: 'bn', points: steps.map((step) => [step, 3 / step ** 1.5] as const) }],
};

export const logarithmic: LineChart = {
  kind: 'lines',
  x: { name: 'learning rate', scale: 'log' },
  y: { name: 'gradient', scale: 'log', min: 1e-9, max: 1e3 },
  series: [
    {
      name: long,
      colour: 'plain',
      points: [
        [1e-6, 1e-8],
        [1e-3, 1],
        [10, 200],
      ],
    },
    {
      name: 'bn',
      colour: 'bn',
      points: [
        [1e-6, 1e-7],
        [1e-3, 0],
        [10, 100],
      ],
    },
  ],
};

export const onePoint: LineChart = {
  kind: 'lines',
  x: { name: 'epoch' },
  y: { name: 'loss' },
  series: [{ name: 'plain', colour: 'plain', points: [[1, 0.5]] }],
};

export const upright: BarChart = {
  kind: 'bars',
  categories: ['batches of 2', 'batches of 16', '128'],
  y: { name: 'accuracy' },
  series: [
    {
      name: 'plain',
      colour: 'plain',
      values: [0.5, 0.7, NaN],
      intervals: [
        [0.4, 0.6],
        [0.69, 0.71],
        [NaN, NaN],
      ],
    },
    {
      name: 'bn',
      colour: 'bn',
      values: [0.3, 0.8, 0.9],
      intervals: [
        [0.1, 0.5],
        [0.78, 0.82],
        [0.89, 0.91],
      ],
    },
  ],
};

export const lying: BarChart = {
  kind: 'bars',
  categories: [...classes, long],
  y: { name: 'steps to a loss of 0.1', scale: 'log' },
  series: ['plain', 'bn', 'other'].map((name, i) => ({
    name,
    colour: (['plain', 'bn', 'other'] as const)[i],
    values: [...classes, long].map((_, j) => 10 ** (1 + ((i + j) % 5))),
  })),
};

export const negative: BarChart = {
  kind: 'bars',
  categories: ['a', 'b'],
  y: { name: 'change of the loss' },
  series: [{ name: '', colour: 'neutral', values: [-1200, 35_000] }],
};

export const charts: Readonly<Record<string, Chart>> = {
  lines,
  manyPoints,
  logarithmic,
  onePoint,
  upright,
  lying,
  negative,
};

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 37) % 256);

export const fullReport: Report = {
  title: 'A report with everything in it & <script>alert(1)</script>',
  lead: [
    'After the first epoch, bn classifies 87.0 % of the images correctly.',
    `And a long word: ${long}${long}.`,
  ],
  facts: [
    ['data', 'the built-in digits'],
    ['machine', `A CPU of a name without an end, ${long}`],
  ],
  sections: [
    ...verdicts.map((verdict) => ({
      heading: `Batch normalization makes training converge in fewer steps: ${verdict}`,
      verdict,
      text: ['What was done, in a few sentences.'],
      blocks: [
        {
          kind: 'table' as const,
          table: {
            caption: 'The parts of the claim, with 95 % confidence intervals.',
            head: ['part', 'mean', 'interval', 'verdict'],
            rows: [[`A statement that is long, with ${long} in it`, '0.5', '0.4 … 0.6', verdict]],
          },
        },
      ],
    })),
    {
      heading: 'Charts',
      blocks: [
        {
          kind: 'figures',
          figures: Object.entries(charts).map(([name, chart]) => ({
            title: `The chart "${name}"`,
            caption: 'What is to be seen in it, in a sentence: 95 % of it.',
            chart,
          })),
        },
      ],
    },
    {
      heading: 'Predictions',
      blocks: [
        ...['plain', 'bn'].map((net) => ({
          kind: 'confusion' as const,
          confusion: {
            caption: `${net}: 381 of 1,000 test images are correct, 38.1 %.`,
            classes,
            counts: classes.map((_, i) => classes.map((__, j) => (i === j ? 70 + i : (i * j) % 7))),
          },
        })),
        {
          kind: 'samples',
          samples: {
            caption: 'Images.',
            images: [
              {
                width: 28,
                height: 28,
                pixels: bytes(784),
                label: '7',
                predictions: [
                  { net: 'plain', label: '1' },
                  { net: 'bn', label: '7' },
                ],
              },
              {
                width: 32,
                height: 32,
                pixels: bytes(3072),
                label: 'a truck with a trailer',
                predictions: [{ net: 'plain', label: 'automobile' }],
              },
            ],
          },
        },
      ],
    },
  ],
};
