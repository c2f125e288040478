/** A report as a single HTML file, without scripts or external resources. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { writeAtomically } from '../cli/write-atomically.ts';
import type { Report } from './model.ts';
import { SectionView } from './section.tsx';
import { styleSheet } from './style.ts';
import { unbroken } from './numbers.ts';

/** The content security policy: the page may load only the images in it. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** Writes the page, and creates its folder if needed. The file is never incomplete. */
export async function writeReport(file: string, report: Report): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeAtomically(file, renderPage(report));
}

export function renderPage(report: Report): string {
  return `<!doctype html>\n${renderToString(<Page report={report} />)}\n`;
}

function Page({ report: { title, lead, facts, sections } }: { readonly report: Report }): JSX.Element {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: styleSheet() }} />
      </head>
      <body>
        <a class="skip" href="#results">
          Skip to the results
        </a>
        <header class="wide">
          <h1>{title}</h1>
          <div class="lead">
            {lead.map((text) => (
              <p>{unbroken(text)}</p>
            ))}
          </div>
          {facts.length > 0 && <Facts facts={facts} />}
          {sections.length > 1 && <Contents headings={sections.map(({ heading }) => heading)} />}
        </header>
        <main class="wide" id="results" tabIndex={-1}>
          {sections.map((section, i) => (
            <SectionView section={section} id={idOf(i)} />
          ))}
        </main>
      </body>
    </html>
  );
}

function Facts({ facts }: Pick<Report, 'facts'>): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Contents({ headings }: { readonly headings: readonly string[] }): JSX.Element {
  return (
    <nav aria-labelledby="contents">
      <h2 id="contents">Contents</h2>
      <ol>
        {headings.map((heading, i) => (
          <li>
            <a href={`#${idOf(i)}`}>{heading}</a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function idOf(section: number): string {
  return `s${section + 1}`;
}
