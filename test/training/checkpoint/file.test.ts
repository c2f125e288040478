import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BatchNorm1d, Dense, manualSeed, Sequential, SGD, ValueError } from '../../../src/index.ts';
import { loadCheckpoint, saveCheckpoint } from '../../../src/training/checkpoint/file.ts';
import { CheckpointError, encodeCheckpoint } from '../../../src/training/checkpoint/checkpoint.ts';
import { values } from '../../tensors.ts';

const net = (seed = 0) => {
  manualSeed(seed);
  return new Sequential(new Dense(3, 4), new BatchNorm1d(4));
};

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gammabeta-checkpoint-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

/** The message of the CheckpointError that the promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CheckpointError)) throw error;
  expect(error.name).toBe('CheckpointError');
  expect(error.message).toMatch(/^\w+: [^]+\. Hint: [^]+$/);
  return error.message;
}

describe('saveCheckpoint', () => {
  it('writes the bytes of encodeCheckpoint, and nothing else', async () => {
    const dir = await folder();
    const model = net();
    await saveCheckpoint(join(dir, 'a.safetensors'), { model, epoch: 4 });
    expect(await readdir(dir)).toEqual(['a.safetensors']);
    const bytes = await encodeCheckpoint({ model, epoch: 4 });
    expect(new Uint8Array(await readFile(join(dir, 'a.safetensors')))).toEqual(bytes);
  });

  it('replaces an older checkpoint', async () => {
    const path = join(await folder(), 'latest');
    await saveCheckpoint(path, { model: net(), epoch: 1 });
    await saveCheckpoint(path, { model: net(), epoch: 2 });
    expect((await loadCheckpoint(path, { model: net() })).epoch).toBe(2);
  });

  it('leaves a complete checkpoint when several are saved at once', async () => {
    const dir = await folder();
    const path = join(dir, 'latest');
    const epochs = [1, 2, 3, 4, 5];
    await Promise.all(epochs.map((epoch) => saveCheckpoint(path, { model: net(), epoch })));
    expect(await readdir(dir)).toEqual(['latest']);
    expect((await loadCheckpoint(path, { model: net() })).epoch).toBe(5);
  });

  it('saves the state of the moment of the call, and the last call wins, however long each takes', async () => {
    const path = join(await folder(), 'latest');
    const model = net(1);
    const [weight] = model.parameters();
    const { home } = weight;
    const slow = async (storage: typeof weight.storage) => {
      const values = await home.read(storage);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return values;
    };
    const before = values(weight);
    weight.home = { ...home, read: slow };
    const first = saveCheckpoint(path, { model, epoch: 1 });
    weight.home = home;
    const failing = saveCheckpoint(path, { model, epoch: 2, extra: NaN });
    const third = saveCheckpoint(path, { model, epoch: 3 });
    model.loadStateDict(net(2).stateDict()); // after the calls
    expect(await rejection(failing)).toContain('NaN');
    await Promise.all([first, third]);
    const loaded = net(3);
    expect((await loadCheckpoint(path, { model: loaded })).epoch).toBe(3);
    expect(values(loaded.parameters()[0])).toEqual(before);
  });

  it('takes a URL, and a URL as a string', async () => {
    const dir = await folder();
    const url = pathToFileURL(join(dir, 'a b'));
    await saveCheckpoint(url, { model: net(), epoch: 6 });
    expect(await readdir(dir)).toEqual(['a b']);
    for (const path of [url, url.href, join(dir, 'a b')]) {
      expect((await loadCheckpoint(path, { model: net() })).epoch).toBe(6);
    }
  });

  it.each([
    null,
    undefined,
    3,
    '',
    'a\0b',
    Buffer.from('a'),
    new URL('https://example.com/a'),
    'file://host/a',
    { model: net() },
  ])('refuses %s in place of a path', async (path) => {
    for (const call of [saveCheckpoint, loadCheckpoint]) {
      const error: unknown = await call(path as never, { model: net() }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ValueError);
      expect(String(error)).toMatch(/Checkpoint: the path is .*\. Hint: pass a path, or a file: URL$/);
    }
  });

  it('names the path when the folder is missing', async () => {
    const path = join(await folder(), 'missing', 'a');
    expect(await rejection(saveCheckpoint(path, { model: net() }))).toMatch(
      /^saveCheckpoint: .*missing\/a cannot be written: ENOENT.*\. Hint: the folder must exist/,
    );
  });

  it('removes its temporary file when it fails', async () => {
    const dir = await folder();
    await mkdir(join(dir, 'a', 'full'), { recursive: true }); // a file cannot be renamed to a folder
    expect(await rejection(saveCheckpoint(join(dir, 'a'), { model: net() }))).toContain('cannot be written');
    expect(await readdir(dir)).toEqual(['a']);
    expect(await readdir(join(dir, 'a'))).toEqual(['full']);
  });

  it('keeps the previous checkpoint when the new one cannot be made', async () => {
    const dir = await folder();
    const path = join(dir, 'a');
    await saveCheckpoint(path, { model: net(), epoch: 1 });
    const message = await rejection(saveCheckpoint(path, { model: net(), epoch: 2, extra: NaN }));
    expect(message).toContain('saveCheckpoint: extra holds a value that JSON cannot represent: NaN');
    expect(await readdir(dir)).toEqual(['a']);
    expect((await loadCheckpoint(path, { model: net() })).epoch).toBe(1);
  });
});

describe('loadCheckpoint', () => {
  it('restores what was saved', async () => {
    const path = join(await folder(), 'a');
    const model = net(1);
    const optimizer = new SGD(model.parameters(), { lr: 0.25 });
    await saveCheckpoint(path, { model, optimizer, epoch: 3, extra: ['note'] });
    const again = net(2);
    const other = new SGD(again.parameters(), { lr: 1 });
    expect(await loadCheckpoint(path, { model: again, optimizer: other })).toEqual({
      epoch: 3,
      extra: ['note'],
    });
    expect(other.lr).toBe(0.25);
    expect(again.parameters().map(values)).toEqual(model.parameters().map(values));
  });

  it('names a missing file', async () => {
    const path = join(await folder(), 'nothing.safetensors');
    expect(await rejection(loadCheckpoint(path, { model: net() }))).toMatch(
      /^loadCheckpoint: .*nothing\.safetensors cannot be read: ENOENT.*\. Hint: give the path of a file/,
    );
  });

  it('says so when the path is a folder', async () => {
    const dir = await folder();
    expect(await rejection(loadCheckpoint(dir, { model: net() }))).toContain('EISDIR');
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe', async () => {
    const path = join(await folder(), 'pipe');
    execFileSync('mkfifo', [path]);
    expect(await rejection(loadCheckpoint(path, { model: net() }))).toContain('it is not a regular file');
  });

  it('does not read a file for parts that are none', async () => {
    const path = join(await folder(), 'missing');
    await expect(loadCheckpoint(path, {} as never)).rejects.toThrow(/the model is not a layer/);
  });

  it('notices damage', async () => {
    const path = join(await folder(), 'a');
    await saveCheckpoint(path, { model: net(1) });
    const bytes = await readFile(path);
    bytes[bytes.length - 1] ^= 0x40;
    await writeFile(path, bytes);
    expect(await rejection(loadCheckpoint(path, { model: net(2) }))).toMatch(
      /a is damaged: the checksum of model\.1\.num_batches_tracked is \d+, not \d+\. Hint: the file is damaged: use/,
    );
  });

  it('names a file that is cut short, and leaves the model unchanged', async () => {
    const path = join(await folder(), 'a');
    await saveCheckpoint(path, { model: net(1) });
    const { length } = await readFile(path);
    await truncate(path, length - 1);
    const model = net(2);
    const before = model.parameters().map(values);
    expect(await rejection(loadCheckpoint(path, { model }))).toBe(
      `loadCheckpoint: ${path} is cut short: ${length - 1} bytes of at least ${length}. ` +
        'Hint: the copy is incomplete: copy the file again, or use another checkpoint',
    );
    expect(model.parameters().map(values)).toEqual(before);
  });

  it('names a file that is not a checkpoint', async () => {
    const path = join(await folder(), 'page.html');
    await writeFile(path, '<!doctype html><title>Not found</title>');
    expect(await rejection(loadCheckpoint(path, { model: net() }))).toContain(
      `loadCheckpoint: ${path} is not a checkpoint: 39 bytes`,
    );
  });

  it('names the file that does not fit the model', async () => {
    const path = join(await folder(), 'a');
    await saveCheckpoint(path, { model: net() });
    expect(await rejection(loadCheckpoint(path, { model: new Dense(3, 4) }))).toContain(
      `loadCheckpoint: ${path} does not fit the model: missing: weight, bias; unexpected: 0.weight`,
    );
  });
});
