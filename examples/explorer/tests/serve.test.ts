/** The server of the page. */
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/index.ts';
import { serve } from '../serve.ts';

describe('the server', () => {
  it('serves the page on a loopback address, and nothing else, until it is stopped', async () => {
    const stop = new AbortController();
    const { address, closed } = await serve('<p>page</p>', 0, stop.signal);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(`${address}?a#b`)).text()).toBe('<p>page</p>');
    expect((await fetch(`${address}package.json`)).status).toBe(404);
    stop.abort();
    await closed;
    await expect(fetch(address)).rejects.toThrow('fetch failed');
  });

  it('says that a port is taken', async () => {
    const stop = new AbortController();
    const { address, closed } = await serve('', 0, stop.signal);
    const port = Number(new URL(address).port);
    await expect(serve('', port, stop.signal)).rejects.toThrow(
      new DataError(
        'explorer',
        `port ${port} cannot be used: EADDRINUSE`,
        'name another one with --port, or --port 0',
      ),
    );
    stop.abort();
    await closed;
  });
});
