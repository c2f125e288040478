/** Saves a checkpoint again and again, and kills itself in the middle of a save. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { argv } from 'node:process';
import { Dense } from '../../src/index.ts';
import { saveCheckpoint } from '../../src/node.ts';

const [, , path] = argv;
const model = new Dense(1000, 1000);
for (;;) {
  const save = { isDone: false };
  void saveCheckpoint(path, { model }).then(() => (save.isDone = true));
  while (!save.isDone) {
    if (readdirSync(dirname(path)).some((name) => name !== basename(path)))
      process.kill(process.pid, 'SIGKILL');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
