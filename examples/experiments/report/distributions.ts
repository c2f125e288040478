/** The sections with histograms of activations and gradients, before and after training. */
import { quantileOf } from '../cli/quantile.ts';
import { type Findings, netsIn } from './experiment.ts';
import { type Edges, histogram, type Histogram, linearEdges, logEdges } from './histogram.ts';
import type { Axis, Colour, Figure, LineSeries, Section } from './model.ts';
import { formatNumber, formatShare } from './numbers.ts';
import { type LayerKind, placeName } from './places.ts';
import type { LayerValues } from './layer-values.ts';
import { PROBED } from './watch.ts';

const BINS = 40;

export function activations(findings: Findings): Section | null {
  const figures = placesIn(findings).map((place) =>
    figureOf(place, `Output: ${place.name}`, ({ outputs }) => outputs, {
      edges: (sets) => linearEdges(sets, BINS),
      x: { name: 'output' },
      middle: (a, b) => (a + b) / 2,
      measure: { name: 'Standard deviation', of: deviation },
    }),
  );
  if (figures.length === 0) return null;
  return {
    heading: 'Activations, layer by layer',
    text: [
      `The outputs of the layers for ${imagesIn(findings)}, in the run with the first seed, before the first step and ` +
        'after the last one. As in training, batch normalization uses the statistics of this batch. Each line is a ' +
        `histogram: the share of the values in each of ${BINS} intervals. Values of exactly 0 are not drawn; the caption ` +
        'gives their share. Up to 1 % of the values may lie outside the axis.',
    ],
    blocks: [{ kind: 'figures', figures }],
  };
}

export function gradients(findings: Findings): Section | null {
  const places = placesIn(findings);
  const bySize: Shape = {
    edges: (sets) => logEdges(sets, BINS),
    x: { name: 'size of the gradient', scale: 'log' },
    middle: (a, b) => Math.sqrt(a * b),
    of: magnitudes,
    measure: { name: 'Median size', of: median },
  };
  const weights = places
    .filter(({ kind }) => kind === 'dense')
    .map((place) =>
      figureOf(
        place,
        `Gradient of the weight: ${place.name}`,
        ({ weightGradients }) => weightGradients,
        bySize,
      ),
    );
  const outputs = places.map((place) =>
    figureOf(
      place,
      `Gradient of the output: ${place.name}`,
      ({ outputGradients }) => outputGradients,
      bySize,
    ),
  );
  if (outputs.length === 0) return null;
  return {
    heading: 'Gradients, layer by layer',
    text: [
      'The absolute values of the gradients of the loss, for the same batch at the same two times, on a logarithmic ' +
        'axis. Gradients further to the right are larger; at the same learning rate, they give larger steps.',
    ],
    blocks: [
      { kind: 'figures', figures: weights },
      { kind: 'figures', figures: outputs },
    ],
  };
}

/** A kind of layer after the n-th dense layer, in all networks that have it there. */
interface Place {
  readonly name: string;
  readonly kind: LayerKind;
  readonly moments: readonly {
    readonly net: string;
    readonly colour: Colour;
    readonly when: 'start' | 'end';
    readonly layer: LayerValues;
  }[];
}

const kinds: readonly LayerKind[] = ['dense', 'batch norm', 'activation', 'other'];

function placesIn(findings: Findings): Place[] {
  const found = new Map<string, { order: number; place: Place }>();
  for (const { net, colour } of netsIn(findings)) {
    const inside = findings.insides.get(net);
    if (inside === undefined) continue;
    let dense = 0;
    inside.end.forEach((end, i) => {
      const { kind } = end;
      if (kind === 'dense') dense++;
      const name = placeName(kind, dense);
      const moments = [
        { net, colour, when: 'start' as const, layer: inside.start[i] },
        { net, colour, when: 'end' as const, layer: end },
      ];
      const before = found.get(name)?.place.moments ?? [];
      const order = dense * kinds.length + kinds.indexOf(kind);
      found.set(name, { order, place: { name, kind, moments: [...before, ...moments] } });
    });
  }
  return [...found.values()].sort((a, b) => a.order - b.order).map(({ place }) => place);
}

/** How to make a histogram of values. */
interface Shape {
  readonly edges: (sets: readonly Float32Array[]) => Edges;
  readonly x: Axis;
  readonly middle: (a: number, b: number) => number;
  readonly of?: (values: Float32Array) => Float32Array;
  /** A statistic of each set of values, for the caption. */
  readonly measure: { readonly name: string; readonly of: (values: Float32Array) => number };
}

function figureOf(
  { moments }: Place,
  title: string,
  valuesOf: (layer: LayerValues) => Float32Array | null,
  { edges: edgesOf, x, middle, of, measure }: Shape,
): Figure {
  const sets = moments.map(({ layer }) => valuesOf(layer) ?? new Float32Array());
  const edges = edgesOf(sets);
  const shaped = of === undefined ? sets : sets.map(of);
  const histograms = shaped.map((values) => histogram(values, edges));
  const series = moments.map(({ net, colour, when }, i): LineSeries => {
    const { counts, total } = histograms[i];
    const points = counts.map((count, bin) => [middle(edges[bin], edges[bin + 1]), count / total] as const);
    return { name: `${net}, ${when}`, colour, style: when === 'start' ? 'dashed' : 'solid', points };
  });
  return {
    title,
    caption: `${measured(shaped, series, measure)} ${zerosOf(histograms, series)}`.trim(),
    chart: { kind: 'lines', x, y: { name: 'share of the values', min: 0 }, series },
  };
}

function measured(
  sets: readonly Float32Array[],
  series: readonly LineSeries[],
  { name, of }: Shape['measure'],
): string {
  const each = sets.map(
    (values, i) => `${series[i].name} ${formatNumber(Number(of(values).toPrecision(2)))}`,
  );
  return `${name}: ${each.join('; ')}.`;
}

function deviation(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

function magnitudes(values: Float32Array): Float32Array {
  const sizes = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) sizes[i] = Math.abs(values[i]);
  return sizes;
}

function median(values: Float32Array): number {
  return quantileOf(values.slice(), 0.5);
}

function zerosOf(histograms: readonly Histogram[], series: readonly LineSeries[]): string {
  const some = histograms.flatMap(({ zeros, total }, i) =>
    zeros / total < 5e-4 ? [] : [`${formatShare(zeros / total)} (${series[i].name})`],
  );
  return some.length === 0 ? '' : `Exactly 0: ${some.join(', ')}.`;
}

function imagesIn({ heldOut }: Findings): string {
  return `the first ${Math.min(PROBED, heldOut.data.labels.length)} ${heldOut.name} images`;
}
