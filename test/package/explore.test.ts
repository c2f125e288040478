/** `npx gammabeta explore` of the packed package. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { installPacked } from './bundles.ts';

let folder = '';
let app = '';
const command = join('node_modules/gammabeta/dist/command/gammabeta.js');
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gammabeta-explore-')));
  app = installPacked(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('the packed gammabeta explore', () => {
  it.skipIf(process.platform !== 'linux')(
    'serves the page of the package, and opens it',
    async () => {
      const opened = join(folder, 'opened');
      const browser = join(folder, 'xdg-open');
      writeFileSync(browser, `#!/bin/sh\necho "$1" > '${opened}'\n`);
      chmodSync(browser, 0o755);
      const child: ChildProcess = spawn(process.execPath, [command, 'explore', '--port', '0', '--open'], {
        cwd: app,
        env: { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH ?? ''}` },
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      let printed = '';
      child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      while (!printed.includes('Ctrl-C') && child.exitCode === null) await sleep(20);
      const [address] = printed.split('\n');
      expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
      const page = await (await fetch(address)).text();
      expect(page).toContain('<h1>Batch normalization, forward and backward</h1>');
      expect(page).toBe(readFileSync(join(app, 'node_modules/gammabeta/dist/explorer.html'), 'utf8'));
      while (!existsSync(opened) || readFileSync(opened, 'utf8') === '') await sleep(20);
      expect(readFileSync(opened, 'utf8')).toBe(`${address}\n`);
      const exit = once(child, 'exit');
      child.kill('SIGINT');
      expect(await exit).toEqual([130, null]);
    },
    60_000,
  );

  it.each([
    [['--port', '70000'], /expected an integer from 0 to 65535\./],
    [['--port', 'x'], /expected an integer from 0 to 65535\./],
    [['--prot', '1'], /^error: unknown option '--prot'\n\(Did you mean --port\?\)/],
  ])('%j is an error with a hint', (args, message) => {
    const { status, stderr } = spawnSync(process.execPath, [command, 'explore', ...args], {
      cwd: app,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  });
});
