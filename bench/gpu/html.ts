/** The page of the GPU benchmarks, as HTML. */
import type { HostReport } from './gpu-report.ts';
import { introduction, type Table, tablesOf } from './gpu-tables.ts';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 0.5rem; }
p { margin: 0.25rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.2rem 1.8rem 0.2rem 0; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid; }
td { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.word { text-align: left; }
.software, .refused { border-left: 4px solid #d97706; padding-left: 0.75rem; margin: 0.75rem 0; }
.refused { border-color: #dc2626; }
#status { font-weight: 600; margin: 1rem 0; }
`;

/** The empty page that the server sends; the script fills it. */
export function frame(options: object, script: string): string {
  const json = JSON.stringify(options).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>gammabeta: GPU benchmark</title>
<style>${STYLE}</style>
<h1>gammabeta: GPU benchmark</h1>
<p id="status">Loading …</p>
<main id="results"></main>
<script type="application/json" id="options">${json}</script>
<script type="module" src="${script}"></script>
`;
}

/** The results so far. */
export function resultsHtml(report: HostReport): string {
  return [
    ...introduction(report).map((line) => `<p>${escaped(line)}</p>`),
    ...report.refused.map((line) => `<p class="refused">not timed: ${escaped(line)}</p>`),
    ...tablesOf(report).map(tableHtml),
  ].join('\n');
}

function tableHtml({ title, note, head, rows, words }: Table): string {
  const row = (cells: readonly string[], tag: 'th' | 'td') => {
    const all = cells.map(
      (cell, k) => `<${tag}${k < words ? ' class="word"' : ''}>${escaped(cell)}</${tag}>`,
    );
    return `<tr>${all.join('')}</tr>`;
  };
  return [
    `<h2>${escaped(title)}</h2>`,
    note === '' ? '' : `<p class="software">${escaped(note)}</p>`,
    `<div class="scroll"><table><thead>${row(head, 'th')}</thead>`,
    `<tbody>${rows.map((cells) => row(cells, 'td')).join('\n')}</tbody></table></div>`,
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
