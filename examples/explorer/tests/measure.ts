/** How fast the page is: until its first picture, and from a click to the next picture while it trains. */
import type { Page } from 'playwright';
import type { Explorer } from './open-page.ts';

/** The limits of the tests in milliseconds, for a machine that does other work too. Alone, the page keeps {@link goals}. */
export const limits = { firstPicture: 3000, click: 300 } as const;
export const goals = { firstPicture: 1000, click: 100 } as const;

/** The milliseconds from the start of the navigation until the points of part 1 are painted. */
export async function firstPicture(explorer: Explorer): Promise<number> {
  const page = await explorer.browser.newPage({ viewport: { width: 1280, height: 800 } });
  try {
    await page.goto(`file://${explorer.file}`, { waitUntil: 'commit' });
    return await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const timer = setInterval(() => {
            if (document.querySelector('#batch svg .dot') === null) return;
            clearInterval(timer);
            requestAnimationFrame(() => resolve(performance.now()));
          }, 5);
        }),
    );
  } finally {
    await page.close();
  }
}

/** The median of the milliseconds from 20 clicks to the next picture. */
export async function clickToPicture(page: Page): Promise<number> {
  const waits: number[] = [];
  for (let k = 0; k < 20; k++) {
    waits.push(
      await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const begin = performance.now();
            document.querySelector<HTMLButtonElement>('#batch .buttons button')?.click();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin)));
          }),
      ),
    );
  }
  waits.sort((a, b) => a - b);
  return (waits[9] + waits[10]) / 2;
}
