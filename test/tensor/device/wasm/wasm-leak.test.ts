/** Memory over 20,000 steps of training, in a process of its own. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Measured } from './training-memory.ts';

const STEPS = 20_000;
const MB = 2 ** 20;

interface Report {
  readonly measured: readonly Measured[];
  readonly losses: readonly number[];
}

function train(way: 'layers' | 'tensors'): Report {
  const program = join(import.meta.dirname, 'training-memory.ts');
  const args = ['--expose-gc', '--import', 'tsx', program, way, String(STEPS)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Report;
}

describe.each([
  { way: 'layers', what: 'a model of layers' },
  { way: 'tensors', what: 'a loop of tensor methods, all of whose results the program sees' },
] as const)(`${STEPS} steps of $what`, ({ way }) => {
  const { measured, losses } = train(way);
  const [, warm, ...later] = measured; // after the first tenth

  it('train', () => {
    expect(measured.map(({ step }) => step)).toEqual(Array.from({ length: 11 }, (_, k) => (k * STEPS) / 10));
    expect(losses.at(-1)).toBeLessThan(losses[0] / 50);
  });

  it('leave the size of WebAssembly memory as it was', () => {
    for (const { wasm } of measured) expect(wasm).toBe(warm.wasm);
  });

  it('take less than 5 MB more of memory, WebAssembly’s and JavaScript’s together', () => {
    const total = ({ wasm, javascript }: Measured) => (wasm + javascript) / MB;
    for (const measurement of later) expect(total(measurement) - total(warm)).toBeLessThan(5);
  });

  it('fill no more of it than the budget, and never move a parameter or what an optimizer remembers', () => {
    expect(warm.moves.out).toBeGreaterThan(0); // what the program dropped has made room
    for (const { moves, inUse } of later) {
      expect(moves.in).toBe(0); // what moves out and is needed moves in again
      expect(inUse).toBeLessThan(17 * MB);
    }
  });
});
