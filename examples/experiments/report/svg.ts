/** Draws charts as SVG with echarts, without a browser. */
import { init } from 'echarts/dist/echarts.esm.min.mjs';
import { barPicture } from './bar-options.ts';
import { light, type Paint, properties } from './colours.ts';
import { WIDTH } from './layout.ts';
import { linePicture } from './line-options.ts';
import type { Chart, Figure } from './model.ts';

/**
 * A chart for a page, in the colours and font of the page. It scales to the width of its container.
 *
 * @param name A prefix for the names in the SVG, different for each chart of the page.
 * @param labelledBy The ids of the elements that describe it for screen readers.
 */
export function chartSvg(chart: Chart, name: string, labelledBy: string): string {
  const svg = draw(chart, { paint: properties, font: 'inherit', name, heading: null, margin: 0 });
  return svg.replace('<svg ', `<svg role="img" aria-labelledby="${labelledBy}" `);
}

/** A chart as a separate file: on white, with its title. */
export function pictureSvg({ title, chart }: Figure): string {
  const font = 'system-ui, sans-serif';
  return `${draw(chart, { paint: light, font, name: 'zr0', heading: title, margin: 12 })}\n`;
}

interface Drawing {
  readonly paint: Paint;
  readonly font: string;
  readonly name: string;
  readonly heading: string | null;
  readonly margin: number;
}

function draw(chart: Chart, { paint, font, name, heading, margin }: Drawing): string {
  const { option, height } =
    chart.kind === 'lines' ? linePicture(chart, paint, heading) : barPicture(chart, paint, heading);
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    canvas.setOption({
      animation: false,
      textStyle: { fontFamily: font },
      ...option,
    });
    const svg = withoutHandles(renamed(canvas.renderToSVGString(), name));
    return margin === 0 ? svg : framed(svg, { margin, height, paper: paint.paper });
  } finally {
    canvas.dispose();
  }
}

/** Removes attributes and shapes that only echarts' script would use: the page has no script. */
function withoutHandles(svg: string): string {
  return svg
    .replaceAll(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, '')
    .replaceAll(/<style >[\s\S]*?<\/style>\s*/g, '')
    .replaceAll(
      /<path d="[^"]*"(?: transform="[^"]*")? fill="(?:none|rgb\(0,0,0\))"(?: fill-opacity="0" stroke="[^"]*" stroke-width="0")?><\/path>\n/g,
      '',
    );
}

/**
 * Renames the clip paths and styles in an SVG of echarts, whose names count the charts and styles of this process.
 * With `prefix`, the same chart always gives the same file, and two charts on one page have different names.
 */
export function renamed(svg: string, prefix: string): string {
  const first = Math.min(...Array.from(svg.matchAll(/\bzr\d+-cls-(\d+)/g), ([, number]) => Number(number)));
  return svg
    .replaceAll(/\bzr\d+-cls-(\d+)/g, (_, number: string) => `${prefix}-cls-${Number(number) - first}`)
    .replaceAll(/\bzr\d+-c(\d+)/g, `${prefix}-c$1`);
}

/** Draws a background with a margin around the SVG. */
function framed(
  svg: string,
  { margin, height, paper }: { readonly margin: number; readonly height: number; readonly paper: string },
): string {
  const [w, h] = [WIDTH + 2 * margin, height + 2 * margin];
  const start = svg.indexOf('>') + 1;
  const opening = svg
    .slice(0, start)
    .replace(/width="\d+" height="\d+"/, `width="${w}" height="${h}"`)
    .replace(/viewBox="[^"]*"/, `viewBox="${-margin} ${-margin} ${w} ${h}"`);
  return `${opening}<rect x="${-margin}" y="${-margin}" width="${w}" height="${h}" fill="${paper}"/>${svg.slice(start)}`;
}
