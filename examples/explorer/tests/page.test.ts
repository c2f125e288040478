/** The page in Chromium, part by part. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode } from 'fast-png';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDevice } from '../../../src/index.ts';
import { column, type Inputs } from '../column/column.ts';
import { jacobian, numericalDx } from '../column/gradient.ts';
import { solution } from '../exercise/texts.ts';
import { bothModes, runningStatistics } from '../column/stream.ts';
import { builtInDigits } from '../training/data.ts';
import { defaultTraining } from '../training/settings.ts';
import { Trainer } from '../training/trainer.ts';
import { root } from '../../tests/run-example.ts';
import { clippedText, faintText, overlappingText } from '../../experiments/tests/what-is-seen.ts';
import { chromiumPath } from '../chromium.ts';
import { takePicture } from '../take-picture.ts';
import { clickToPicture, firstPicture, limits } from './measure.ts';
import { type Explorer, type Opened, startExplorer } from './open-page.ts';

if (chromiumPath === undefined) console.warn('the explorer in Chromium SKIPPED: no Chromium was found');

const hashOf = ({ x, g, gamma, beta, eps }: Inputs): string =>
  `#x=${x.join()}&g=${g.join()}&gamma=${gamma}&beta=${beta}&eps=${eps}`;

/** The rows of the table "Numbers". */
async function numbersOn(page: Page): Promise<Record<string, number[]>> {
  const rows = await page
    .getByRole('table', { name: 'Numbers' })
    .locator('tr')
    .evaluateAll((all) =>
      all.map((row) => [
        row.querySelector('th')?.textContent.trim() ?? '',
        ...[...row.querySelectorAll('td')].map((cell) => cell.textContent.trim()),
      ]),
    );
  return Object.fromEntries(rows.map(([name, ...cells]) => [name, cells.map(Number)]));
}

/** The rows of the table "Results": step, loss and accuracy. */
async function resultsOn(page: Page): Promise<Record<string, string[]>> {
  const rows = await page
    .getByRole('table', { name: 'Results' })
    .locator('tbody tr')
    .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent.trim())));
  return Object.fromEntries(rows.map(([name, ...cells]) => [name, cells]));
}

/** Parts that are higher than the screen. */
function tallParts(): string[] {
  return [...document.querySelectorAll('section')]
    .map((part) => ({ id: part.id, height: part.getBoundingClientRect().height }))
    .filter(({ height }) => height > 800)
    .map(({ id, height }) => `${id}: ${Math.round(height)}`);
}

/** Controls that are less than 44 pixels high. A box with a label is as high as the label. */
function smallTargets(): string[] {
  const controls = [...document.querySelectorAll('button, select, input, summary, nav a, .claim')];
  return controls
    .map((control) => control.closest('label.check') ?? control)
    .filter((control) => {
      const { width, height } = control.getBoundingClientRect();
      return width > 0 && (height < 43.5 || width < 43.5);
    })
    .map(
      (control) =>
        `${control.tagName} ${control.textContent.trim()} ${control.getBoundingClientRect().height}`,
    );
}

/** Waits until a condition on the page holds. */
async function until(condition: () => Promise<boolean>, limit = 20_000): Promise<void> {
  const end = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${String(condition)}`);
    await sleep(50);
  }
}

describe.skipIf(chromiumPath === undefined)('the explorer', () => {
  let explorer: Explorer;
  beforeAll(async () => {
    await useDevice('cpu');
    explorer = await startExplorer();
  }, 120_000);
  afterAll(() => explorer.close());

  /** Runs a test on a fresh page, which must log nothing and request nothing. */
  const on = (hash: string, test: (opened: Opened) => Promise<void>) => async () => {
    const opened = await explorer.open(hash);
    try {
      await test(opened);
      expect(opened.problems).toEqual([]);
    } finally {
      await opened.page.close();
    }
  };

  describe('the file', () => {
    it('has at most 350 kB after gzip, and a policy that forbids requests', () => {
      expect(explorer.gzipped).toBeLessThanOrEqual(350_000);
      const html = readFileSync(explorer.file, 'utf8');
      expect(html).toMatch(
        /Content-Security-Policy" content="default-src 'none'; script-src 'sha256-[^']+' 'wasm-unsafe-eval'/,
      );
      expect(html).not.toMatch(/(?:src|href)="https?:/);
    });
  });

  it('shows its first picture soon after it is opened from the disk', async () => {
    expect(await firstPicture(explorer)).toBeLessThan(limits.firstPicture);
  });

  it('has a picture for the README, of part 2 with wrong gradients in red', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gammabeta-picture-'));
    try {
      const file = join(folder, 'explorer.png');
      await takePicture(explorer.browser, explorer.file, file);
      const [taken, committed] = [file, join(root, 'examples/explorer/explorer.png')].map((each) =>
        decode(readFileSync(each)),
      );
      expect(taken.width).toBe(committed.width);
      for (const { width, height, channels, data } of [taken, committed]) {
        expect(width / height).toBeGreaterThan(1.2);
        let red = 0;
        for (let at = 0; at < data.length; at += channels) {
          if (data[at] === 0xb0 && data[at + 1] === 0 && data[at + 2] === 0x20) red++;
        }
        expect(red).toBeGreaterThan(300); // pixels of the arrows that are wrong
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe('the numbers', () => {
    const batches: readonly Inputs[] = [
      { x: [1, 2, 3, 4], g: [1, 0, 0, 0], gamma: 2, beta: 0.5, eps: 0.00001 },
      { x: [1000001, 1000002, 1000004.5], g: [0.5, -2, 1], gamma: -1.5, beta: 3, eps: 0.001 },
      { x: [3, 3, 3], g: [1, 2, 4], gamma: 1, beta: -1, eps: 0.01 },
      { x: [-5, 8], g: [1, -1], gamma: 1, beta: 0, eps: 1 },
      {
        x: [1, 9, 2, 8, 3, 7, 4, 6, 5, 5.5, 0, 12],
        g: [1, -1, 2, 0, 0, 3, 0, 0.5, 0, 0, 0, 1],
        gamma: 0.3,
        beta: 7,
        eps: 1e-5,
      },
    ];
    it(
      'are those of the library',
      on('', async ({ page }) => {
        for (const inputs of batches) {
          await page.evaluate((hash) => void (location.hash = hash), hashOf(inputs));
          const { mean, variance, rstd, xhat, y, dbeta, dgamma, dx } = column(inputs);
          const expected = {
            mean: [mean],
            variance: [variance],
            rstd: [rstd],
            xhat,
            y,
            dbeta: [dbeta],
            dgamma: [dgamma],
            dx,
          };
          await until(async () => (await numbersOn(page)).mean[0] === Number(mean.toPrecision(7)));
          const shown = await numbersOn(page);
          expect(Object.keys(shown)).toEqual(Object.keys(expected));
          for (const [name, values] of Object.entries(expected)) {
            expect(shown[name], name).toEqual(values.map((value) => Number(value.toPrecision(7))));
          }
        }
      }),
    );

    it('agree with the equations of the paper', () => {
      const { x, g, gamma, beta, eps } = { x: [1, 2, 4, 9], g: [1, 0, -2, 0.5], gamma: 2, beta: 1, eps: 0.1 };
      const found = column({ x, g, gamma, beta, eps });
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      const mean = sum(x) / 4;
      const variance = sum(x.map((value) => (value - mean) ** 2)) / 4;
      const rstd = 1 / Math.sqrt(variance + eps);
      const xhat = x.map((value) => (value - mean) * rstd);
      const dgamma = sum(g.map((value, i) => value * xhat[i]));
      expect(found.mean).toBeCloseTo(mean, 12);
      expect(found.variance).toBeCloseTo(variance, 12);
      expect(found.y[3]).toBeCloseTo(gamma * xhat[3] + beta, 12);
      expect(found.dgamma).toBeCloseTo(dgamma, 12);
      found.dx.forEach((value, i) => {
        expect(value).toBeCloseTo(gamma * rstd * (g[i] - sum(g) / 4 - (xhat[i] * dgamma) / 4), 12);
      });
      const numerical = numericalDx(found, 1);
      found.dx.forEach((value, i) => expect(value).toBeCloseTo(numerical[i], 6));
      jacobian(found).forEach((row) => expect(sum(row)).toBeCloseTo(0, 12));
    });
  });

  describe('part 1', () => {
    it(
      'moves a point by dragging, by keys and by typing',
      on('#x=1,2,4,9', async ({ page }) => {
        const point = page.getByRole('slider', { name: 'x1', exact: true });
        const box = await point.boundingBox();
        if (box === null) throw new Error('there is no point');
        const [px, py] = [box.x + box.width / 2, box.y + box.height / 2];
        await page.mouse.move(px, py);
        await page.mouse.down();
        await page.mouse.move(px + 60, py, { steps: 4 });
        await page.mouse.up();
        const dragged = Number(await point.getAttribute('aria-valuenow'));
        expect(dragged).toBeGreaterThan(1.3);
        expect((await numbersOn(page)).mean[0]).toBeCloseTo((dragged + 15) / 4, 5);

        await point.focus();
        await page.keyboard.press('ArrowRight');
        const once = Number(await point.getAttribute('aria-valuenow'));
        await page.keyboard.press('Shift+ArrowRight');
        const ten = Number(await point.getAttribute('aria-valuenow'));
        expect(ten - once).toBeCloseTo(10 * (once - dragged), 8);

        const field = page.getByRole('textbox', { name: 'x', exact: true });
        await field.fill('2, 4');
        expect((await numbersOn(page)).mean).toEqual([3]);
        await until(
          async () => (await page.evaluate('location.hash')) === '#x=2,4&g=1,0&gamma=1&beta=0&eps=0.00001',
        );
      }),
    );

    it(
      'adds and removes points, and shows the examples',
      on('', async ({ page }) => {
        await page.getByRole('button', { name: 'Add', exact: true }).click();
        expect((await numbersOn(page)).xhat.length).toBe(5);
        for (let k = 0; k < 3; k++) await page.getByRole('button', { name: 'Remove' }).click();
        expect((await numbersOn(page)).xhat.length).toBe(2);
        expect(await page.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true);
        await page.getByRole('button', { name: 'constant' }).click();
        expect((await numbersOn(page)).variance).toEqual([0]);
        await page.getByRole('button', { name: 'far from 0' }).click();
        expect((await numbersOn(page)).mean).toEqual([1004]);
      }),
    );

    it(
      'undoes itself, and ignores a new unit',
      on('#x=1,2,4,9&eps=0.00001', async ({ page }) => {
        const before = await numbersOn(page);
        await page.getByRole('button', { name: /× 10, \+ 100/ }).click();
        const after = await numbersOn(page);
        expect(after.mean).toEqual([140]);
        after.xhat.forEach((value, i) => expect(value).toBeCloseTo(before.xhat[i], 5));
        await page.getByRole('button', { name: /undo it/ }).click();
        const { y } = await numbersOn(page);
        [110, 120, 140, 190].forEach((value, i) => expect(y[i]).toBeCloseTo(value, 3));
      }),
    );

    it(
      'says what is wrong with a number where it was typed, and goes on',
      on('#x=1,3', async ({ page }) => {
        const field = page.getByRole('textbox', { name: 'x', exact: true });
        for (const [text, says] of [
          ['', 'There are no numbers here.'],
          ['1, two', '“two” is not a number.'],
          ['1e308, 2', '1e308 is too large: use numbers from −10⁹ to 10⁹.'],
          ['7', 'One value has no variance: batch normalization needs at least 2.'],
        ]) {
          await field.fill(text);
          expect(await page.locator('#batch [role=alert]:visible').allInnerTexts()).toEqual([says]);
        }
        expect((await numbersOn(page)).mean).toEqual([2]);
        await field.fill('5, 7');
        expect(await page.locator('#batch [role=alert]:visible').count()).toBe(0);
        expect((await numbersOn(page)).mean).toEqual([6]);
        const epsilon = page.getByRole('textbox', { name: 'epsilon' });
        await epsilon.fill('0');
        expect(await page.locator('#batch [role=alert]:visible').allInnerTexts()).toEqual([
          'ε is 0: use a number from 10⁻¹² to 1000.',
        ]);
        await page.getByRole('button', { name: 'Reset epsilon' }).click();
        await field.fill('x');
        await page.getByRole('button', { name: 'skewed' }).click();
        expect([await epsilon.inputValue(), await field.inputValue()]).toEqual(['0.00001', '1, 2, 4, 9']);
        expect(await page.locator('#batch [role=alert]:visible').count()).toBe(0);
      }),
    );

    it(
      'has fields that arrow keys change and that a button resets',
      on('', async ({ page }) => {
        const gamma = page.getByRole('textbox', { name: 'gamma', exact: true });
        await gamma.focus();
        await page.keyboard.press('ArrowUp');
        expect(await gamma.inputValue()).toBe('1.1');
        await page.keyboard.press('Shift+ArrowDown');
        expect(await gamma.inputValue()).toBe('0.1');
        await page.getByRole('button', { name: 'Reset gamma' }).click();
        expect(await gamma.inputValue()).toBe('1');
      }),
    );
  });

  describe('the link', () => {
    it(
      'that cannot be read is named, and the defaults are shown',
      on('#x=a,b&gamma=2', async ({ page }) => {
        expect(await page.getByRole('alert').first().innerText()).toContain('x: “a” is not a number.');
        expect((await numbersOn(page)).mean).toEqual([4]);
        expect(await page.getByRole('textbox', { name: 'gamma', exact: true }).inputValue()).toBe('2');
      }),
    );

    it(
      'may name a part of the page',
      on('#live', async ({ page }) => {
        expect(await page.getByRole('alert').filter({ visible: true }).count()).toBe(0);
        expect(await page.locator('#live').evaluate((part) => part.getBoundingClientRect().top)).toBeLessThan(
          400,
        );
      }),
    );

    it(
      'may hold the largest values, which no picture turns into NaN',
      on('#x=1e9,1e9,1e9&g=1e9,-1e9,1e9&gamma=1e9&eps=1e-12', async ({ page }) => {
        const attributes = await page
          .locator('main *')
          .evaluateAll((all) => all.flatMap((each) => [...each.attributes].map(({ value }) => value)));
        expect(attributes.filter((value) => /NaN|Infinity/.test(value))).toEqual([]);
        expect(await page.locator('#gradient').innerText()).toContain('rounding hides numerical differences');
        expect(await page.locator('#gradient .arrow.wrong').count()).toBe(0);
      }),
    );

    it(
      'changes the page when it changes',
      on('#x=1,3', async ({ page }) => {
        await page.evaluate("location.hash = '#x=10,30&step=8'");
        await until(async () => (await numbersOn(page)).mean[0] === 20);
        expect(await page.locator('[aria-current=step]').getAttribute('aria-label')).toBe(
          'dx, step 8: batchnormDx',
        );
      }),
    );
  });

  describe('part 2', () => {
    it(
      'shows that every dx changes when one g is dragged or typed',
      on('#x=1,2,4,9&g=1,0,0,0', async ({ page }) => {
        const before = (await numbersOn(page)).dx;
        const handle = page.getByRole('slider', { name: 'g2', exact: true });
        await handle.focus();
        await page.keyboard.press('ArrowRight');
        const after = (await numbersOn(page)).dx;
        after.forEach((value, i) => expect(value).not.toBe(before[i]));
        expect(await page.getByRole('textbox', { name: 'g', exact: true }).inputValue()).toBe('1, 0.1, 0, 0');
        const box = await handle.locator('.grip').boundingBox();
        if (box === null) throw new Error('there is no grip');
        await page.mouse.move(box.x + 6, box.y + 6);
        await page.mouse.down();
        await page.mouse.move(box.x + 40, box.y + 6, { steps: 3 });
        await page.mouse.up();
        expect(Number(await handle.getAttribute('aria-valuenow'))).toBeGreaterThan(0.3);
      }),
    );

    it(
      'turns wrong gradients red when a path is left out',
      on('#x=1,2,4,9&g=1,0,0,2', async ({ page }) => {
        const part = page.locator('#gradient');
        expect(await part.innerText()).toContain('Each dx equals the numerical gradient');
        for (const name of [/directly/, /through the mean/, /through the variance/]) {
          const box = part.getByRole('checkbox', { name });
          await box.uncheck();
          expect(await part.locator('.arrow.wrong').count()).toBeGreaterThan(0);
          expect(await part.innerText()).toMatch(/✗ \d of 4 are wrong/);
          await box.check();
          expect(await part.locator('.arrow.wrong').count()).toBe(0);
        }
      }),
    );
  });

  it(
    'part 3 turns with arrow keys, and leaves dx nothing for two values',
    on('#x=1,2,4,9', async ({ page }) => {
      const space = page.locator('#space svg');
      const picture = () => space.locator('.plane').getAttribute('points');
      const before = await picture();
      await space.focus();
      await page.keyboard.press('ArrowLeft');
      expect(await picture()).not.toBe(before);
      await until(async () => String(await page.evaluate('location.hash')).includes('turn=40,20'));
      await page.getByRole('button', { name: 'm = 2' }).click();
      expect(await space.locator('.plane').count()).toBe(0);
      const two = column({ x: [1, 2], g: [1, 0], gamma: 1, beta: 0, eps: 1e-5 });
      expect(Math.max(...two.dx.map(Math.abs))).toBeLessThan(1e-4);
    }),
  );

  it(
    'part 4 steps through the kernels with the text of the repository, and lights operands',
    on('#x=1,2,4,9', async ({ page }) => {
      const part = page.locator('#code');
      const files = ['kernels/batchnorm.ts', 'kernels/reduce.ts'].map((file) =>
        readFileSync(join(root, file), 'utf8'),
      );
      const results = ['mean', 'variance', 'rstd', 'xhat', 'y', 'dbeta', 'dgamma', 'dx'];
      for (const result of results) {
        const source = await part.locator('pre code').textContent();
        expect(files.some((file) => file.includes(source ?? '?'))).toBe(true);
        expect(await part.locator('.code-line.lit').count()).toBeGreaterThan(0);
        expect(await part.locator('tr.current th').innerText()).toBe(result);
        await part.locator('.stepper').focus();
        await page.keyboard.press('ArrowRight');
      }
      await part.locator('.stepper').focus();
      await page.keyboard.press('ArrowLeft');
      expect(await part.locator('tr.current th').innerText()).toBe('dgamma');
      const row = part.getByRole('row', { name: /^xhat/ });
      await row.locator('td').nth(1).hover();
      const lit = await part
        .locator('td.lit')
        .evaluateAll((cells) => cells.map((cell) => cell.textContent.trim()));
      expect(lit).toEqual(['2.000000', '4.000000', '0.3244427']); // x₂, mean, rstd
    }),
  );

  it(
    'part 5 judges the code in the editor, and survives errors and endless loops',
    on('', async ({ page }) => {
      const status = page.getByRole('status');
      const check = async (code: string) => {
        await page.getByRole('textbox', { name: 'Your backward pass' }).focus();
        await page.keyboard.press('ControlOrMeta+a');
        await page.keyboard.insertText(code);
        await page.getByRole('button', { name: 'Check' }).click();
        await until(
          async () =>
            /^(?:Right|Wrong)/.test(await status.innerText()) &&
            !(await page.getByRole('button', { name: 'Check' }).isDisabled()),
        );
        return status.innerText();
      };
      await page.getByRole('button', { name: 'Check' }).click();
      await until(async () => (await status.innerText()).startsWith('Wrong'));
      expect(await check(solution)).toMatch(/^Right/);
      expect(await check(solution.replace('- dbeta / m', '+ dbeta / m'))).toMatch(
        /^Wrong[^]*dbeta\/m, has the wrong sign/,
      );
      expect(await check('function backward( {')).toMatch(/^Wrong[^]*SyntaxError/);
      expect(await check('const a = 1;')).toMatch(/^Wrong[^]*backward is not defined/);
      expect(await check('function backward() { for (;;); }')).toMatch(/^Wrong[^]*endless loop/);
      expect(await check(solution)).toMatch(/^Right/);
      const hint = page.getByRole('button', { name: /^Hint/ });
      for (let k = 0; k < 5; k++) await hint.click();
      await page.getByText('Solution', { exact: true }).click();
      expect(await page.locator('#exercise details pre').innerText()).toContain(
        'dbeta / m - (xhat[i] * dgamma) / m',
      );
    }),
    60_000,
  );

  it(
    'part 6 shows the library’s running statistics, and a training answer that depends on the neighbours',
    on('#seen=20', async ({ page }) => {
      const paths = runningStatistics();
      const rows = await page
        .locator('#modes tbody tr')
        .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
      for (const [name, mean, variance, y] of rows) {
        const at = paths[name as keyof typeof paths][20];
        expect(Number(mean)).toBeCloseTo(at.mean, 2);
        expect(Number(variance)).toBeCloseTo(at.variance, 2);
        expect(Number(y)).toBeCloseTo(bothModes(1, name as keyof typeof paths, at).evaluation[0], 2);
      }
      const label = () => page.locator('#modes svg[aria-label^="Example 1"]').getAttribute('aria-label');
      const [, trainedBefore, evaluatedBefore] =
        /y is (\S+) in training and (\S+) in/.exec((await label()) ?? '') ?? [];
      await page.getByRole('button', { name: 'New neighbours' }).click();
      const [, trained, evaluated] = /y is (\S+) in training and (\S+) in/.exec((await label()) ?? '') ?? [];
      expect(trained).not.toBe(trainedBefore);
      expect(evaluated).toBe(evaluatedBefore);
    }),
  );

  describe('part 7', () => {
    it(
      'trains as the library does in Node, on both sides of a pause, and answers meanwhile',
      on('#seed=3&lr=0.05', async ({ page }) => {
        const button = (name: string) => page.getByRole('button', { name, exact: true });
        const step = async () => Number((await resultsOn(page)).with[0]);
        await button('Train').click();
        await until(async () => (await step()) > 20, 60_000);
        await button('Pause').click();
        await until(() => button('Train').isEnabled());
        await sleep(300);
        const first = await resultsOn(page);
        await button('One step').click();
        await until(async () => (await step()) === Number(first.with[0]) + 1);
        const second = await resultsOn(page);

        // The same in Node. The logarithm of another JavaScript engine can change the last digits of a loss.
        await useDevice('wasm');
        const trainer = new Trainer({ ...defaultTraining, seed: 3, lr: 0.05 }, builtInDigits());
        let done = 0;
        for (const shown of [first, second]) {
          for (; done < Number(shown.without[0]); done++) await trainer.step();
          const report = await trainer.report();
          for (const [name, state] of [
            ['without', report.plain],
            ['with', report.normalized],
          ] as const) {
            const [shownStep, loss, accuracy] = shown[name];
            expect([shownStep, accuracy]).toEqual([String(state.step), state.accuracy?.toFixed(4)]);
            expect(Math.abs(Number(loss) / (state.loss ?? NaN) - 1)).toBeLessThan(3e-7);
          }
        }
        await useDevice('cpu');

        // The same here without a pause, to the bit.
        await button('Restart').click();
        await until(async () => (await step()) === 0);
        for (let k = 1; k <= Number(second.with[0]); k++) await button('One step').click();
        await until(async () => (await step()) === Number(second.with[0]));
        expect(await resultsOn(page)).toEqual(second);

        await button('Train').click();
        expect(await clickToPicture(page)).toBeLessThan(limits.click);
        await button('Restart').click();
        await until(async () => (await step()) < Number(first.with[0]), 10_000);
      }),
      120_000,
    );

    it(
      'goes on with another normalization, learning rate and batch size while it runs',
      on('#seed=3', async ({ page }) => {
        const step = async () => Number((await resultsOn(page)).with[0]);
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        await until(async () => (await step()) > 20, 60_000);
        await page.getByRole('combobox', { name: 'Normalization' }).selectOption('layer');
        const live = page.locator('#live');
        await until(async () => (await live.innerText()).includes('with layer normalization'), 30_000);
        await until(async () => String(await page.evaluate('location.hash')).includes('norm=layer'));
        await until(async () => (await step()) > 20, 60_000);
        const before = await step();
        await page.getByRole('textbox', { name: 'learning rate' }).fill('0.2');
        await page.getByRole('textbox', { name: 'Batch size' }).fill('8');
        await page.getByRole('textbox', { name: 'Batch size' }).press('Tab');
        await until(async () => (await step()) > before + 20, 60_000); // in the same networks
        expect(await page.getByRole('button', { name: 'Train', exact: true }).isDisabled()).toBe(true);
        expect(await page.locator('#live .problem:visible').count()).toBe(0);
      }),
      90_000,
    );

    it(
      'trains the same losses from a copied link',
      on('#seed=4', async ({ page }) => {
        const train = async (on: Page) => {
          for (let k = 0; k < 2; k++) await on.getByRole('button', { name: 'One step' }).click();
          await until(async () => (await resultsOn(on)).with[0] === '2', 60_000);
          return resultsOn(on);
        };
        const batchSize = page.getByRole('textbox', { name: 'Batch size' });
        await batchSize.fill('16');
        await batchSize.press('Tab');
        await page.getByRole('combobox', { name: 'Activation' }).selectOption('tanh');
        await until(async () => /seed=4.*activation=tanh/.test(String(await page.evaluate('location.hash'))));
        const copied = await explorer.open(String(await page.evaluate('location.hash')));
        try {
          const [here, there] = [await train(page), await train(copied.page)];
          expect(there).toEqual(here);
          expect(copied.problems).toEqual([]);
        } finally {
          await copied.page.close();
        }
      }),
      90_000,
    );

    it(
      'says where a loss is not finite, and goes on with other settings',
      on('#lr=1000000000&layers=1', async ({ page }) => {
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        const problem = page
          .locator('#live .problem:visible')
          .filter({ hasText: 'without normalization stopped' });
        await problem.waitFor({ timeout: 60_000 });
        expect(await problem.innerText()).toMatch(
          /Step \d+: the loss is \S+; the first layer whose output is not finite is layer \d/,
        );
        const lr = page.getByRole('textbox', { name: 'learning rate' });
        await lr.fill('fast');
        expect(await page.locator('#live .field .problem:visible').innerText()).toBe(
          '“fast” is not a number.',
        );
        await lr.fill('0.1');
        const size = page.getByRole('textbox', { name: 'Batch size' });
        await size.fill('1');
        await size.press('Tab');
        expect(await page.locator('#live .choice .problem:visible').innerText()).toBe(
          '1 is not a whole number from 2 to 256.',
        );
        expect(await size.inputValue()).toBe('1');
        await page.getByRole('button', { name: 'Restart', exact: true }).click();
        await problem.waitFor({ state: 'hidden' });
      }),
      90_000,
    );

    it(
      'names a file that has no images, and reads a digit of the test data',
      on('', async ({ page }) => {
        await page.getByRole('button', { name: 'One step' }).click();
        await until(async () => (await resultsOn(page)).with[0] === '1', 60_000);
        await page.locator('#live .files summary').click();
        await page
          .locator('input[type=file]')
          .setInputFiles({ name: 'cat.jpg', mimeType: 'image/jpeg', buffer: Buffer.from([255, 216, 255]) });
        await page.locator('#live .files .problem:visible').waitFor();
        expect(await page.locator('#live .files .problem').innerText()).toMatch(
          /^cat\.jpg is not an MNIST file/,
        );
        await page.evaluate(() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(['GIF89a'], 'dog.gif'));
          const drop = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer });
          document.querySelector('#batch')?.dispatchEvent(drop);
        });
        await page
          .locator('#live .files .problem')
          .filter({ hasText: /^dog\.gif is not an MNIST file/ })
          .waitFor();
        await page.getByRole('button', { name: 'Take a test image' }).click();
        await until(async () => /without: \d, \d+ %/.test(await page.locator('.digit').innerText()));
        expect((await resultsOn(page)).with[0]).toBe('1');
      }),
      90_000,
    );
  });

  it(
    'part 8 shows each claim, and sets part 7 to it',
    on('', async ({ page }) => {
      const claims = page.locator('#claims .claim');
      expect(await claims.count()).toBeGreaterThanOrEqual(12);
      for (const claim of await claims.all()) {
        await claim.click();
        expect(await page.locator('#claims .card').innerText()).toMatch(
          /^.+\n+(?:supported|mixed|not supported), by .+: .+, 95\s%\sinterval .+\s…\s.+; the claim expects .+/,
        );
        expect(await page.locator('#claims .card svg').count()).toBe(1);
        expect(await page.evaluate(tallParts)).toEqual([]);
      }
      await page.getByRole('link', { name: /It works badly with small batches\./ }).click();
      await until(async () => String(await page.evaluate('location.hash')).includes('claim=small-batches'));
      await page.getByRole('button', { name: /Try it above: batches of 2 / }).click();
      expect(await page.getByRole('textbox', { name: 'Batch size' }).inputValue()).toBe('2');
      await until(async () => String(await page.evaluate('location.hash')).includes('batch=2'));
    }),
  );

  it.each([360, 768, 1280])(
    'has no finding of axe-core, and nothing clipped, overlapping or faint, at %i pixels',
    async (width) => {
      const opened = await explorer.open('', { viewport: { width, height: 800 }, reducedMotion: 'reduce' });
      const { page, problems } = opened;
      try {
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
        expect(await page.evaluate(clippedText)).toEqual([]);
        if (width === 1280) expect(await page.evaluate(tallParts)).toEqual([]);
        if (width === 360) expect(await page.evaluate(smallTargets)).toEqual([]);
        expect(await page.evaluate(overlappingText)).toEqual([]);
        await page.evaluate(
          readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
        );
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const faint = await page.evaluate(faintText);
          expect(faint.filter((text) => !/^\d+ 1\.00$/.test(text))).toEqual([]); // numbers on dots, in the colour of the page
          const findings = await page.evaluate(async () => {
            const { axe } = globalThis as unknown as {
              axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
            };
            const { violations } = await axe.run();
            return violations.map(
              ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
            );
          });
          expect(findings).toEqual([]);
        }
        expect(problems).toEqual([]);
      } finally {
        await page.close();
      }
    },
    60_000,
  );
});
