/** The report of an experiment: networks with and without batch normalization, trained on the same data. */
import type { Dataset } from '../../../src/index.ts';
import type { NetRun } from '../cli/results.ts';
import { activations, gradients } from './distributions.ts';
import { curves } from './curves.ts';
import { mistakes } from './mistakes.ts';
import { type Colour, colours, type Report, type Sample, type Section } from './model.ts';
import { normPaths } from './norm-path-figures.ts';
import type { Inside } from './watch.ts';

/** The content of the report of an experiment. */
export interface Findings {
  readonly title: string;
  readonly lead: readonly string[];
  readonly facts: Report['facts'];
  /** All networks of the experiment, also those not trained; the order assigns the colours. */
  readonly nets: readonly string[];
  readonly runs: readonly NetRun<string>[];
  /** Measurements of the runs with the first seed, by the network's name. */
  readonly insides: ReadonlyMap<string, Inside>;
  readonly heldOut: HeldOut;
  /** Results published by others, drawn as points. */
  readonly published?: Published;
}

/** The images that are not used for training. */
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

/** The networks that were trained, with their colours. */
export function netsIn({ nets, runs }: Findings): { readonly net: string; readonly colour: Colour }[] {
  return nets
    .map((net, i) => ({ net, colour: colours[Math.min(i, colours.length - 1)] }))
    .filter(({ net }) => runs.some((run) => run.net === net));
}
