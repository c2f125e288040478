/**
 * Measures how fast the page is, and compares it with the goals.
 *
 *     npx tsx examples/explorer/tests/speed.ts
 */
import { clickToPicture, firstPicture, goals } from './measure.ts';
import { startExplorer } from './open-page.ts';

const explorer = await startExplorer();
try {
  const first: number[] = [];
  for (let k = 0; k < 5; k++) first.push(await firstPicture(explorer));
  first.sort((a, b) => a - b);
  console.log(`first picture: ${first[2].toFixed(0)} ms (median of 5; goal ${goals.firstPicture} ms)`);
  const { page } = await explorer.open();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.waitForFunction(() => {
    const row = document.querySelector('[data-network=normalized]');
    return Number(row?.querySelector('td')?.textContent) > 20;
  });
  const click = await clickToPicture(page);
  console.log(`click while training: ${click.toFixed(0)} ms (median of 20; goal ${goals.click} ms)`);
} finally {
  await explorer.close();
}
