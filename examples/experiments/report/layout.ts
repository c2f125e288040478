/** The layout of the legend above a chart. */
import type { Chart } from './model.ts';
import { textWidth, wrap } from './text-width.ts';

/** Sizes in units of the SVG. A phone shows the width in about 310 pixels, where text of size 13 is 10 pixels high. */
export const WIDTH = 380;
export const FONT = 13;
export const LINE = 17;

/** The width of a line sample or of a mark, with the gap before its name. */
const ICON = 30;
const MARK = 17;
const GAP = 14;

/** An entry of the legend, with its position. */
export interface LegendItem {
  readonly name: string;
  readonly lines: readonly string[];
  /** True for a mark without a line. */
  readonly isMark: boolean;
  readonly left: number;
  readonly top: number;
}

export interface Legend {
  readonly items: readonly LegendItem[];
  readonly height: number;
}

/** Arranges the entries in rows of about equal length. Series with the same name share an entry. */
export function legendOf(chart: Chart, top: number): Legend {
  const { series } = chart;
  const marks =
    chart.kind === 'lines'
      ? chart.series.filter(({ style }) => style === 'points').map(({ name }) => name)
      : [];
  const entries = [...new Set(series.map(({ name }) => name))]
    .filter((name) => name !== '')
    .map((name) => {
      const isMark = marks.includes(name);
      const icon = isMark ? MARK : ICON;
      const lines = wrap(name, WIDTH - icon - GAP, FONT);
      const width = icon + Math.max(...lines.map((line) => textWidth(line, FONT)));
      return { name, lines, width, isMark };
    });
  const rows = rowsOf(entries, Math.ceil(entries.length / Math.max(1, rowsOf(entries, Infinity).length)));
  const items: LegendItem[] = [];
  let height = 0;
  for (const row of rows) {
    let left = 0;
    for (const { name, lines, width, isMark } of row) {
      items.push({ name, lines, isMark, left, top: top + height });
      left += width + GAP;
    }
    height += Math.max(...row.map(({ lines }) => lines.length)) * LINE + 4;
  }
  return { items, height };
}

/** Fills rows with as many entries as fit, at most `most` each. */
function rowsOf<Entry extends { readonly width: number }>(
  entries: readonly Entry[],
  most: number,
): Entry[][] {
  const rows: Entry[][] = [];
  let right = Infinity;
  for (const entry of entries) {
    if (right + entry.width > WIDTH || rows[rows.length - 1].length === most) {
      rows.push([]);
      right = 0;
    }
    rows[rows.length - 1].push(entry);
    right += entry.width + GAP;
  }
  return rows;
}
