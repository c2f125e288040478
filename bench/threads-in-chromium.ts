/** Times training steps in headless Chromium, in a page that is cross-origin isolated and so has threads. */
import { join } from 'node:path';
import { openIsolatedPage } from './chromium.ts';
import type { ThreadTiming } from './thread-timing.ts';
import type { PageTask } from './threads-page.ts';

/** @throws {GammaBetaError} There is no Chromium. */
export async function timeInChromium(tasks: readonly PageTask[]): Promise<(readonly ThreadTiming[])[]> {
  const page = await openIsolatedPage({ page: join(import.meta.dirname, 'threads-page.ts') });
  try {
    const timings: (readonly ThreadTiming[])[] = [];
    for (const task of tasks) timings.push(await page.call('timeStep', task));
    return timings;
  } finally {
    await page.close();
  }
}
