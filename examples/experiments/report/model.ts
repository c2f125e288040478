/** The content of a report, independent of its appearance. `page.tsx` renders it as HTML, `svg.ts` a chart as a picture. */

/** A report page. */
export interface Report {
  readonly title: string;
  /** The main findings in a few sentences, computed from the results. */
  readonly lead: readonly string[];
  /** Data, machine and options, such as `['data', 'MNIST, from the cache']`. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
}

export interface Section {
  readonly heading: string;
  readonly text?: readonly Paragraph[];
  /** The verdict on a claim, shown beside the heading. */
  readonly verdict?: Verdict;
  readonly blocks: readonly Block[];
}

/** Text, or text that ends with a link to another document. */
export type Paragraph =
  string | { readonly text: string; readonly see: { readonly text: string; readonly href: string } };

/** A part of a section. Figures are shown side by side if there is room. */
export type Block =
  | { readonly kind: 'figures'; readonly figures: readonly Figure[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'confusion'; readonly confusion: Confusion }
  | { readonly kind: 'samples'; readonly samples: Samples };

export const verdicts = ['supported', 'mixed', 'not supported'] as const;
export type Verdict = (typeof verdicts)[number];

/** A chart with title and caption. The page adds a table of its numbers. */
export interface Figure {
  readonly title: string;
  /** A sentence that describes the chart, also for screen readers. */
  readonly caption: string;
  readonly chart: Chart;
}

export type Chart = LineChart | BarChart;

/** Lines of y over x. */
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
  /** A network has the same colour in every chart. */
  readonly colour: Colour;
  readonly style?: 'solid' | 'dashed' | 'dotted' | 'points';
  /** In increasing order of x. A value that is not finite leaves a gap. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** An area around the line, such as a confidence interval or a range. */
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
  /** One value for each category. A value that is not finite has no bar. */
  readonly values: readonly number[];
  /** An interval around each value, such as a confidence interval. */
  readonly intervals?: readonly (readonly [low: number, high: number])[];
}

/** Colours by role: the network without batch normalization, with it, and further networks; `neutral` for other data. */
export const colours = ['plain', 'bn', 'other', 'fourth', 'neutral'] as const;
export type Colour = (typeof colours)[number];

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly string[])[];
}

/** `counts[i][j]` is the number of images of class i that were classified as class j. */
export interface Confusion {
  readonly caption: string;
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** Images with their labels and predictions. */
export interface Samples {
  readonly caption: string;
  readonly images: readonly Sample[];
}

export interface Sample {
  readonly width: number;
  readonly height: number;
  /** Row by row, with one byte per pixel (gray) or three (red, green, blue). */
  readonly pixels: Uint8Array;
  readonly label: string;
  readonly predictions: readonly { readonly net: string; readonly label: string }[];
}
