import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formNames, openForms } from '../forms.ts';
import type { Report } from '../suite-report.ts';

const minutes = 60_000;

describe('npm run bench', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args]);

  /** Runs the command with `--json` and returns its report. */
  const reported = async (...args: string[]): Promise<{ stdout: string; report: Report }> => {
    const dir = await mkdtemp(join(tmpdir(), 'gammabeta-bench-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const file = join(dir, 'results.json');
    const { stdout } = await run(...args, '--quick', '--json', file);
    expect(await readdir(dir)).toEqual(['results.json']);
    return { stdout, report: JSON.parse(await readFile(file, 'utf8')) as Report };
  };

  it('prints the machine, the device and tables, and writes them to a file', async () => {
    const { stdout, report } = await reported('--device', 'cpu', '--filter', 'softmax 32x10');
    expect(stdout).toContain(`Node ${process.version}`);
    expect(stdout).toContain('device   cpu (JavaScript)');
    expect(stdout).toContain('kernels  reference (JavaScript)\n');
    expect(stdout).toMatch(/kernel .* size .* form .* ms .* GB\/s .* GFLOP\/s .* ±/);
    expect(stdout).toMatch(/ softmax .* 32×10 axis 1 .* reference /);
    expect(report).toMatchObject({
      quick: true,
      steps: [],
      scaling: [],
      refused: [],
      device: { device: 'cpu' },
    });
    expect(report.machine.node).toBe(process.version);
    expect(report.kernels.map(({ kernel }) => kernel)).toEqual(['softmax']);
  });

  it('times every form against ceilings of the same run', { timeout: 2 * minutes }, async () => {
    const { stdout, report } = await reported('kernels', '--filter', '32x300 axis 0');
    const { opened, passedOver } = openForms(formNames);
    const forms = opened.map(({ form }) => form);
    expect(report.kernels.map(({ kernel, form }) => [kernel, form])).toEqual(
      forms.map((form) => ['sumAxis', form]),
    );
    expect(report.ceilings.map(({ form }) => form)).toEqual(forms.filter((form) => form !== 'reference'));
    for (const { before, after } of report.ceilings) {
      expect(before.multiplyAdd).toBeGreaterThan(0);
      expect(after.copyVectors).toBeGreaterThan(0);
    }
    for (const { form } of passedOver) expect(stdout).toContain(`${form} passed over: `);
  });

  it('times the training step and its parts', async () => {
    const { stdout, report } = await reported('step', '--filter', 'step bn 32 digits');
    expect(stdout).toMatch(/forward .* backward .* SGD/);
    expect(report.steps).toMatchObject([{ net: 'bn', batch: 32, inputs: 'digits' }]);
    expect(report).toMatchObject({ kernels: [], scaling: [], forms: [] });
  });

  it('times growing sizes and fits an exponent', { timeout: minutes }, async () => {
    const { stdout, report } = await reported('scaling', '--filter', 'batchnorm width');
    expect(stdout).toMatch(/exponent, 512 … 2048/);
    expect(report.scaling).toMatchObject([
      { name: 'batchnorm', over: 'width', fit: { from: 512, to: 2048 } },
    ]);
    expect(report.scaling[0].points.map(({ value }) => value)).toEqual([64, 128, 256, 512, 1024, 2048]);
  });

  it('prints the help of peers', async () => {
    const { stdout } = await run('peers', '--help');
    expect(stdout).toContain('--rounds');
  });

  it('rejects a filter that selects nothing', async () => {
    await expect(run('--filter', 'nothing')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no line contains 'nothing'. Hint:") as string,
    });
  });
});
