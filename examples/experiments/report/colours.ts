/** The colours of charts: those of Okabe & Ito, which are distinct for colour-blind readers, and lighter ones for a dark page. */
import type { Colour } from './model.ts';

/** The colours of one theme. */
export interface Paint extends Readonly<Record<Colour, string>> {
  readonly ink: string;
  /** For axes and their numbers. */
  readonly soft: string;
  readonly rule: string;
  readonly paper: string;
}

export const light: Paint = {
  plain: '#0072b2',
  bn: '#d55e00',
  other: '#00855f',
  fourth: '#a8478a',
  neutral: '#5b5f66',
  ink: '#1b1e23',
  soft: '#555b64',
  rule: '#e2e5e9',
  paper: '#ffffff',
};

export const dark: Paint = {
  plain: '#56b4e9',
  bn: '#ff9142',
  other: '#35c79a',
  fourth: '#e79fcb',
  neutral: '#b6bcc5',
  ink: '#eceef1',
  soft: '#aab1bb',
  rule: '#353b44',
  paper: '#1b1f25',
};

const names = Object.keys(light) as (keyof Paint)[];

/** Each colour as a CSS custom property, which follows the theme of the page. */
export const properties: Paint = Object.fromEntries(names.map((name) => [name, `var(--${name})`])) as {
  [name in keyof Paint]: string;
};

/** CSS declarations: `--ink: #1b1e23; …`. */
export function declarations(paint: Paint): string {
  return names.map((name) => `--${name}: ${paint[name]};`).join(' ');
}
