/** Downloads an archive into the cache, and kills itself while it unpacks. */
import { readdirSync } from 'node:fs';
import { argv } from 'node:process';
import { loadCifar10From } from '../../../src/data/files/cifar10-file.ts';
import { inCache } from '../../../src/data/files/source.ts';

const [, , url, size, sha256] = argv;
void loadCifar10From({ urls: [url], size: Number(size), sha256 }, { download: true });
for (;;) {
  const found = readdirSync(inCache(''), { recursive: true, encoding: 'utf8' });
  if (found.some((path) => /\.tmp.data_batch_1\.bin$/.test(path))) process.kill(process.pid, 'SIGKILL');
  await new Promise((resolve) => setImmediate(resolve));
}
