/** Tests that memory stays flat over 20,000 training steps, in a process of its own. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Measured, Report } from './training-memory.ts';

const STEPS = 20_000;
const MB = 2 ** 20;

function train(way: 'layers' | 'tensors' | 'fit'): Report {
  const program = join(import.meta.dirname, 'training-memory.ts');
  const args = ['--expose-gc', '--import', 'tsx', program, way, String(STEPS)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Report;
}

describe.each([
  { way: 'layers', what: 'a model of layers' },
  { way: 'tensors', what: 'tensor methods, whose results the program sees' },
  { way: 'fit', what: 'fit(), with an evaluation after each epoch' },
] as const)(`${STEPS} steps of $what`, ({ way }) => {
  const { measured, losses } = train(way);
  const [, warm, ...later] = measured; // warm: after the first tenth of the steps

  it('reduce the loss', () => {
    expect(measured.map(({ step }) => step)).toEqual(Array.from({ length: 11 }, (_, k) => (k * STEPS) / 10));
    expect(losses.at(-1)).toBeLessThan(losses[0] / 50);
  });

  it('do not grow WebAssembly memory', () => {
    for (const { wasm } of measured) expect(wasm).toBe(warm.wasm);
  });

  it('need less than 5 MB more of WebAssembly and JavaScript memory together', () => {
    const total = ({ wasm, javascript }: Measured) => (wasm + javascript) / MB;
    for (const measurement of later) expect(total(measurement) - total(warm)).toBeLessThan(5);
  });

  it('stay within the budget, and never move out a parameter or optimizer state', () => {
    // Tensors that a program drops move out; fit drops none.
    if (way === 'fit') expect(measured[10].moves.out).toBe(0);
    else expect(measured[10].moves.out).toBeGreaterThan(0);
    for (const { moves, inUse } of later) {
      expect(moves.in).toBe(0); // an array in use that moved out would move in again
      expect(inUse).toBeLessThan(17 * MB);
    }
  });
});
