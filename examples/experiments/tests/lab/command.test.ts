import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabResults } from '../../lab/results.ts';
import { exampleEnvironment, root } from '../../../tests/run-example.ts';
import { bundled } from '../command/bundled.ts';

const run = bundled('lab.ts', 'lab/worker.ts');

describe('npm run lab, with something wrong', () => {
  it.each([
    [['--claims', 'speed,sped'], /'sped' is not one of speed, learning-rate, /],
    [['--jobs', '0'], /option '--jobs <n>' argument '0' is invalid\. Hint: expected an integer ≥ 1/],
    [['--ful'], /unknown option '--ful'\n\(Did you mean --full\?\)/],
    [['--quick', '--full'], /option '--quick' cannot be used with option '--full'/],
    [['--data', 'no/such/folder'], /^loadMnist: the folder no\/such\/folder cannot be read: /],
    [['--json', 'no/such/folder/x.json'], /^lab: cannot write into the folder of no\/such\/folder\/x\.json/],
    [['--out', 'package.json/x'], /^lab: .*package\.json\/x.* Hint: /],
  ])('%j says what, and what to do', (args, message) => {
    const { status, stderr, stdout } = run('--out', join(tmpdir(), 'gammabeta-none'), ...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

describe('npm run lab, on the built-in digits', () => {
  let out = '';
  let first = '';
  const json = () => join(out, 'lab.json');
  const lab = () => run('--offline', '--claims', 'outputs', '--jobs', '2', '--out', out, '--json', json());
  const files = () => {
    const [folder] = readdirSync(join(out, 'lab'));
    const claim = join(out, 'lab', folder, 'outputs');
    return readdirSync(claim).map((file) => join(claim, file));
  };
  const writtenAt = () => new Map(files().map((file) => [file, statSync(file).mtimeMs]));

  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'gammabeta-lab-'));
    first = lab().stdout;
  }, 180_000);
  afterAll(() => rmSync(out, { recursive: true }));

  it('says which data, first, at the table, in the JSON and in the report', () => {
    expect(first).toMatch(/^Data: the built-in digits, NOT MNIST, which is not available/);
    expect(first).toMatch(/^On the built-in digits:$/m);
    const results = JSON.parse(readFileSync(json(), 'utf8')) as LabResults;
    expect(results).toMatchObject({ data: 'the built-in digits', from: 'built in', effort: 'quick' });
    const page = readFileSync(join(out, 'lab.html'), 'utf8');
    expect(page).toContain('the built-in digits');
    expect(page).not.toContain('on MNIST');
  });

  it('ends with the verdicts and the path of the report', () => {
    expect(first).toMatch(/^│ outputs: Its outputs have mean /m);
    expect(first).toMatch(/│ (?:supported|mixed|not supported) +│/);
    expect(first.trimEnd().split('\n').at(-1)).toBe(join(out, 'lab.html'));
  });

  it('makes no run twice, and a damaged one again', () => {
    const before = writtenAt();
    expect(before.size).toBe(5);
    const results = readFileSync(json(), 'utf8');
    const [damaged] = before.keys();
    writeFileSync(damaged, readFileSync(damaged, 'utf8').slice(0, 100));
    lab();
    const after = writtenAt();
    for (const [file, time] of before) if (file !== damaged) expect(after.get(file)).toBe(time);
    expect(readFileSync(json(), 'utf8')).toBe(results); // and comes to the same
  }, 180_000);
});

describe('npm run lab, when Ctrl-C is pressed', () => {
  it('keeps every run that had ended, whole, and the same command goes on from there', async () => {
    const out = mkdtempSync(join(tmpdir(), 'gammabeta-lab-'));
    try {
      const args = ['--offline', '--claims', 'bias', '--jobs', '1', '--out', out];
      const running = spawn(process.execPath, ['--import', 'tsx', 'examples/experiments/lab.ts', ...args], {
        cwd: root,
        env: exampleEnvironment(),
      });
      let stderr = '';
      running.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
      const ended = new Promise<number | null>((resolve) => running.on('close', resolve));
      const made = () =>
        existsSync(join(out, 'lab'))
          ? readdirSync(join(out, 'lab'), { recursive: true, encoding: 'utf8' }).filter((file) =>
              file.endsWith('.json'),
            )
          : [];
      while (made().length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
      running.kill('SIGINT');
      expect(await ended).toBe(130);
      expect(stderr).toContain('interrupted: completed runs are saved. Hint: ');
      expect(stderr).not.toMatch(/^\s+at /m);
      const kept = made();
      expect(kept.length).toBeLessThan(20);
      expect(existsSync(join(out, 'lab.html'))).toBe(false);
      const times = kept.map((file) => statSync(join(out, 'lab', file)).mtimeMs);
      for (const file of kept) JSON.parse(readFileSync(join(out, 'lab', file), 'utf8'));

      const { status } = run(...args);
      expect(status).toBe(0);
      expect(made()).toHaveLength(20);
      expect(kept.map((file) => statSync(join(out, 'lab', file)).mtimeMs)).toEqual(times);
    } finally {
      rmSync(out, { recursive: true });
    }
  }, 300_000);
});
