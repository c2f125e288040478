/** What a report says, apart from how it looks: `page.tsx` makes HTML of it, `svg.ts` a picture of one of its charts. */

/** A page of HTML. */
export interface Report {
  readonly title: string;
  /** What was found, in a few sentences, computed from the results. */
  readonly lead: readonly string[];
  /** Of which data, on which machine, with which options: `['data', 'MNIST, from the cache']`. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
}

export interface Section {
  readonly heading: string;
  /** Paragraphs. */
  readonly text?: readonly string[];
  /** A word that stands out beside the heading: what was found of a claim. */
  readonly verdict?: Verdict;
  readonly blocks: readonly Block[];
}

/** Figures stand side by side where there is room. */
export type Block =
  | { readonly kind: 'figures'; readonly figures: readonly Figure[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'confusion'; readonly confusion: Confusion }
  | { readonly kind: 'samples'; readonly samples: Samples };

export const verdicts = ['supported', 'mixed', 'not supported'] as const;
export type Verdict = (typeof verdicts)[number];

/** A chart with its words. The page adds a table with the chart's numbers. */
export interface Figure {
  readonly title: string;
  /** What is to be seen in it, in a sentence: the caption, and what a screen reader says. */
  readonly caption: string;
  readonly chart: Chart;
}

export type Chart = LineChart | BarChart;

/** y over x. */
export interface LineChart {
  readonly kind: 'lines';
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
}

export interface Axis {
  readonly name: string;
  readonly scale?: 'linear' | 'log';
  readonly min?: number;
  readonly max?: number;
}

export interface LineSeries {
  readonly name: string;
  /** Series of one colour belong together: the same network in every chart. */
  readonly colour: Colour;
  readonly style?: 'solid' | 'dashed' | 'dotted' | 'points';
  /** In the order of x. What is not finite leaves a gap. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Around the line: a confidence interval, a range. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
}

/** Bars side by side for each category. */
export interface BarChart {
  readonly kind: 'bars';
  readonly categories: readonly string[];
  readonly y: Axis;
  readonly series: readonly BarSeries[];
}

export interface BarSeries {
  readonly name: string;
  readonly colour: Colour;
  /** One for each category; what is not finite has no bar. */
  readonly values: readonly number[];
  /** Around each value: a confidence interval. */
  readonly intervals?: readonly (readonly [low: number, high: number])[];
}

/** Without batch normalization, with it, and what else is compared; `neutral` is for what is no network. */
export const colours = ['plain', 'bn', 'other', 'fourth', 'neutral'] as const;
export type Colour = (typeof colours)[number];

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly string[])[];
}

/** How often an image of class i (row) was taken for one of class j (column). */
export interface Confusion {
  readonly caption: string;
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** Images with what they are and what a network takes them for. */
export interface Samples {
  readonly caption: string;
  readonly images: readonly Sample[];
}

export interface Sample {
  readonly width: number;
  readonly height: number;
  /** Row by row; one byte a pixel (gray), or three (red, green, blue). */
  readonly pixels: Uint8Array;
  readonly label: string;
  readonly predictions: readonly { readonly net: string; readonly label: string }[];
}
