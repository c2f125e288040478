/** For tests that run in a page: the same training in Node, which the page cannot start by itself. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BrowserCommand } from 'vitest/node';
import type { Trained } from './train.ts';

/** Relaxed SIMD, which Chromium has, is behind a flag in Node 20. */
const relaxed = Number.parseInt(process.versions.node) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

export const trainInNode: BrowserCommand = (): Trained => {
  const script = `
    import { trained } from ${JSON.stringify(join(import.meta.dirname, 'train.ts'))};
    console.log(JSON.stringify(await trained()));`;
  const args = [...relaxed, '--import', 'tsx', '--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Trained;
};

declare module 'vitest/browser' {
  interface BrowserCommands {
    trainInNode: () => Promise<Trained>;
  }
}
