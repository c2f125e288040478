/** The picture of the page that the README shows. */
import type { Browser } from 'playwright';

/** Part 2, with the path through the variance switched off, so that some gradients are wrong. */
const link = '#x=1,2,4,9&g=1,-0.5,0,1.5&gamma=1.5&paths=direct,mean';

/**
 * @param page The path of the built page.
 * @param file The PNG file that is written.
 */
export async function takePicture(browser: Browser, page: string, file: string): Promise<void> {
  const view = await browser.newPage({ viewport: { width: 1160, height: 820 }, colorScheme: 'light' });
  try {
    await view.goto(`file://${page}${link}`);
    await view.locator('#gradient').screenshot({ path: file });
  } finally {
    await view.close();
  }
}
