/** Headless Firefox on a page that reports what it found to a loopback server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The path of Firefox: the variable FIREFOX, or Debian's paths; undefined if it is not installed. */
export const firefoxPath: string | undefined = [
  process.env.FIREFOX,
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
].find((path) => path !== undefined && existsSync(path));

if (firefoxPath === undefined) {
  const missing = 'no Firefox was found. Hint: apt-get install firefox-esr, or set FIREFOX to its path.';
  if (process.env.CI) throw new Error(`tests in Firefox: ${missing}`);
  console.warn(`tests in Firefox SKIPPED: ${missing}`);
}

/** No requests but those of the page: no updates, no checks of the connection. */
const quiet = {
  'app.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': '',
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'extensions.update.enabled': false,
};

export interface ServedFile {
  readonly type: 'text/html' | 'text/javascript';
  readonly text: string;
}

/**
 * Opens the file `/` in Firefox, and waits for the JSON that the page posts to `/report`. Ends Firefox and the server with
 * the test.
 *
 * @param files The files of the site, by path.
 * @param policy The content security policy of the files; none by default.
 */
export async function reportOfFirefox(
  files: Readonly<Record<string, ServedFile>>,
  policy?: string,
): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), 'gammabeta-firefox-'));
  let report: (text: string) => void = () => undefined;
  const reported = new Promise<string>((resolve) => (report = resolve));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.end();
        report(body);
      });
      return;
    }
    if (!(pathname in files)) {
      response.writeHead(404).end();
      return;
    }
    const { type, text } = files[pathname];
    response.setHeader('content-type', `${type}; charset=utf-8`);
    if (policy !== undefined) response.setHeader('content-security-policy', policy);
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const started: ChildProcess[] = [];
  onTestFinished(() => {
    for (const child of started) child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  writeFileSync(
    join(profile, 'user.js'),
    Object.entries(quiet)
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
      .join('\n'),
  );
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/`;
  started.push(
    spawn(firefoxPath ?? '', ['--headless', '--no-remote', '--profile', profile, address], {
      stdio: 'ignore',
      env: { ...process.env, HOME: profile },
    }),
  );
  return JSON.parse(await reported) as unknown;
}
