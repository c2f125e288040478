/** The report of networks that were trained on the same data, with and without batch normalization. */
import type { Dataset } from '../../../src/index.ts';
import type { NetRun } from '../cli/results.ts';
import { activations, gradients } from './distributions.ts';
import { curves } from './curves.ts';
import { mistakes } from './mistakes.ts';
import { type Colour, colours, type Report, type Sample, type Section } from './model.ts';
import { normPaths } from './norm-path-figures.ts';
import type { Inside } from './watch.ts';

/** What the report of an experiment is made of. */
export interface Findings {
  readonly title: string;
  readonly lead: readonly string[];
  readonly facts: Report['facts'];
  /** All that there could be, in an order that gives each its colour. */
  readonly nets: readonly string[];
  readonly runs: readonly NetRun<string>[];
  /** Of the first seed's runs, by the network's name. */
  readonly insides: ReadonlyMap<string, Inside>;
  readonly heldOut: HeldOut;
  /** What others measured, as points. */
  readonly published?: Published;
}

/** Images that are not trained on. */
export interface HeldOut {
  /** `validation` or `test`. */
  readonly name: string;
  readonly data: Dataset;
  readonly classes: readonly string[];
  readonly image: (index: number) => Pick<Sample, 'width' | 'height' | 'pixels'>;
}

export interface Published {
  readonly by: string;
  readonly points: (net: string, column: string) => readonly (readonly [epoch: number, value: number])[];
}

export function experimentReport(findings: Findings): Report {
  const { title, lead, facts } = findings;
  const sections = [curves, mistakes, activations, gradients, normPaths].flatMap((make): Section[] => {
    const section = make(findings);
    return section === null ? [] : [section];
  });
  return { title, lead, facts, sections };
}

/** The networks that were trained, each with its colour. */
export function netsIn({ nets, runs }: Findings): { readonly net: string; readonly colour: Colour }[] {
  return nets
    .map((net, i) => ({ net, colour: colours[Math.min(i, colours.length - 1)] }))
    .filter(({ net }) => runs.some((run) => run.net === net));
}
