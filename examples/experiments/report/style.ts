/** The style sheet of a report. */
import { dark, declarations, light } from './colours.ts';

export function styleSheet(): string {
  return `
:root { color-scheme: light dark; ${declarations(light)} --page: #f6f7f9; --line: #d5d9df; --link: #005a92;
  --good: #006b4c; --bad: #a84000; }
@media (prefers-color-scheme: dark) {
  :root { ${declarations(dark)} --page: #121519; --line: #3d444e; --link: #7cc4f0; --good: #35c79a; --bad: #ff9142; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: break-word;
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.wide { max-width: 82rem; margin: 0 auto; padding: 0 0.75rem; }
@media (min-width: 48rem) { .wide { padding: 0 2.5rem; } }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.4rem); letter-spacing: -0.015em; padding-top: 2.5rem; }
h2 { font-size: 1.4rem; }
h3 { font-size: 1rem; }
p { max-width: 68ch; margin: 0.75rem 0; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: 1rem; top: -5rem; background: var(--paper); padding: 0.5rem 1rem; z-index: 1; }
.skip:focus { top: 0.5rem; }
.lead p { font-size: 1.1rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: 0.75rem 2rem;
  margin: 1.5rem 0; padding: 1rem 0; border-block: 1px solid var(--line); }
.facts dt { color: var(--soft); font-size: 0.85rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
nav ol { margin: 0.5rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; }
nav a { display: inline-block; padding: 0.2rem 0; }
nav h2 { font-size: 0.85rem; font-weight: 400; color: var(--soft); }
section { margin-top: 3rem; scroll-margin-top: 1rem; }
main { padding-bottom: 4rem; display: block; }
main:focus { outline: none; }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; }
.verdict { display: inline-flex; align-items: center; gap: 0.4em; padding: 0.1em 0.75em; border: 1.5px solid;
  border-radius: 1em; font-size: 0.9rem; font-weight: 600; white-space: nowrap; }
.supported { color: var(--good); } .mixed { color: var(--soft); } .not-supported { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22.5rem), 1fr)); gap: 1.25rem;
  margin: 1.25rem 0; align-items: start; }
figure, .card { margin: 0; padding: 0.75rem; background: var(--paper); border: 1px solid var(--line); border-radius: 0.6rem;
  min-width: 0; }
@media (min-width: 48rem) { figure, .card { padding: 1rem; } .pairs { grid-template-columns: 1fr 1fr; max-width: 62rem; } }
figure > h3 { margin-bottom: 0.6rem; }
figure svg { display: block; width: 100%; max-width: 32rem; height: auto; overflow: visible; }
figcaption { color: var(--soft); font-size: 0.9rem; line-height: 1.5; margin-top: 0.6rem; }
details { margin-top: 0.5rem; font-size: 0.9rem; }
summary { cursor: pointer; color: var(--link); padding: 0.25rem 0; width: fit-content; }
/* A shadow at the right edge shows that there is more to scroll; it is covered at the end. */
.scroll { overflow: auto; max-width: 100%; max-height: 26rem; position: relative; background:
  linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(to left, var(--line), transparent) right / 0.9rem 100% no-repeat scroll; }
.scroll.tall { max-height: none; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; line-height: 1.4; }
.card > figcaption { margin: 0 0 0.6rem; max-width: 34rem; }
th, td { padding: 0.3rem 0.75rem; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: bottom;
  white-space: nowrap; }
thead th { white-space: normal; min-width: 4.5rem; }
th { font-weight: 600; }
tbody th { font-weight: 400; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
:is(.numbers, .confusion) :is(th, td):first-child { position: sticky; left: 0; background: var(--paper); }
.words th, .words td { text-align: left; white-space: normal; vertical-align: top; }
.words :is(td, thead th):not(.number) { min-width: 6.75rem; }
.words .number { text-align: right; white-space: nowrap; } .words th.number { white-space: normal; }
.words tbody th { min-width: 7rem; }
@media (max-width: 30rem) { .words { font-size: 0.85rem; } .words :is(th, td) { padding-right: 0.35rem; } }
.note { color: var(--soft); font-size: 0.85rem; margin: 0.25rem 0; }
.card { margin: 1.25rem 0; width: fit-content; max-width: 100%; }
.confusion td, .confusion th { padding: 0.35rem 0.5rem; text-align: center; border: 1px solid var(--paper); }
.confusion thead th { min-width: 2.2rem; vertical-align: bottom; white-space: nowrap; }
.confusion .upright { writing-mode: vertical-rl; transform: rotate(180deg); display: inline-block; }
.confusion tbody th { font-weight: 600; }
.confusion .corner, .confusion tbody th { text-align: right; }
.confusion .corner { white-space: nowrap; color: var(--soft); padding-left: 0; }
.confusions { display: flex; flex-wrap: wrap; gap: 1.25rem; margin: 1.25rem 0; }
.confusions .card { margin: 0; }
.confusion td:not(.corner) { min-width: 2.1rem; background: color-mix(in srgb, var(--bn) calc(var(--share) * 50%), var(--paper)); }
.confusion td.right { background: color-mix(in srgb, var(--plain) calc(var(--share) * 42%), var(--paper)); }
.confusion td.none { color: var(--soft); }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 7.5rem), 1fr)); gap: 1rem 1.25rem; margin: 0;
  padding: 0; list-style: none; }
@media (min-width: 48rem) { .samples { grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); } }
.samples img { display: block; width: 5.5rem; height: 5.5rem; image-rendering: pixelated; border-radius: 0.25rem;
  border: 1px solid var(--line); margin-bottom: 0.35rem; }
.samples p { margin: 0; line-height: 1.4; font-size: 0.9rem; }
.samples .wrong { font-weight: 600; color: var(--bad); }
.wide-card { width: auto; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media print {
  :root { ${declarations(light)} --page: #fff; --line: #ccc;
    --link: #005a92; --good: #006b4c; --bad: #a84000; }
  nav, .skip, details { display: none; }
  figure, .card, li { break-inside: avoid; }
  .scroll { overflow: visible; max-height: none; }
}
`;
}
