/** Runs all contenders in one page of headless Chromium that is cross-origin isolated, so that they have threads. */
import { join } from 'node:path';
import { GammaBetaError } from '../../src/index.ts';
import { openIsolatedPage } from '../chromium.ts';
import { type ContenderName, expectInstalled } from './contenders.ts';
import { messageOf, type OnProblem } from './measure.ts';
import type { PageTask, TimedInPage } from './page.ts';
import type { Participating, Place } from './place.ts';

/** A script that opens a contender in a page: see `PageContender` in `page.ts`. */
export interface PageScript {
  readonly name: ContenderName;
  readonly path: string;
  /** The packages that it needs in bench/peers. */
  readonly packages: readonly string[];
}

const inFolder = (file: string): string => join(import.meta.dirname, file);

/** The contenders that run in a page. */
export const pageScripts: readonly PageScript[] = [
  { name: 'gammabeta', path: inFolder('gammabeta-page.ts'), packages: [] },
  { name: 'jax-js', path: inFolder('contenders/jax-js-wasm-page.js'), packages: ['@jax-js/jax'] },
  {
    name: 'tfjs-wasm',
    path: inFolder('contenders/tfjs-wasm-page.js'),
    packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
  },
];

/**
 * Opens the page. It is loaded again for each workload, so that code optimized for other workloads has no effect on it.
 *
 * @throws {GammaBetaError} There is no Chromium, or a contender does not run in a page.
 */
export async function openChromium(
  scripts: readonly PageScript[],
  threads: number,
  onProblem: OnProblem,
  signal?: AbortSignal,
): Promise<Place> {
  const installed = scripts.filter(({ name, packages }) => {
    try {
      expectInstalled(name, packages);
      return true;
    } catch (error) {
      onProblem(messageOf(error));
      return false;
    }
  });
  const page = await openIsolatedPage({
    page: inFolder('page.ts'),
    ...Object.fromEntries(installed.map(({ name, path }) => [name, path])),
  });
  const { browser, close } = page;
  signal?.addEventListener('abort', () => void close());
  const contenders: Participating[] = [];
  for (const { name } of installed) {
    try {
      const contender = await page.call<Participating>('describe', { name, threads });
      contenders.push(contender);
      if (contender.threads >= threads) continue;
      onProblem(`${name}: has only ${contender.threads} of ${threads} threads`);
    } catch (error) {
      onProblem(`${name}: ${messageOf(error)}`);
    }
  }
  return {
    browser,
    contenders,
    measure: async ({ name: workload }, protocol) => {
      await page.reload();
      const task: PageTask = { workload, contenders, threads, protocol };
      const { timings, problems } = await page.call<TimedInPage>('measureWorkload', task);
      for (const line of problems) onProblem(`${workload}: ${line}`);
      return timings;
    },
    close,
  };
}

/**
 * The scripts of the named contenders.
 *
 * @throws {GammaBetaError} One does not run in a page.
 */
export function pageScriptsOf(names: readonly ContenderName[]): PageScript[] {
  return names.map((name) => {
    const script = pageScripts.find((each) => each.name === name);
    if (script !== undefined) return script;
    const others = pageScripts.map((each) => each.name).join(', ');
    throw new GammaBetaError('--only', `${name} does not run in a page`, `choose among ${others}`);
  });
}
