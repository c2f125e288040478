/**
 * Files that are damaged or made up: whatever the bytes, there is a result or an error of the library, in bounded time,
 * and a model that refuses a file is unchanged.
 *
 * CI tries some thousands of files of each kind; FUZZ=1000000 npx vitest run test/io/fuzz.test.ts tries a million.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Adam,
  BatchNorm1d,
  CheckpointError,
  decodeSafetensors,
  Dense,
  encodeCheckpoint,
  encodeSafetensors,
  encodeWeights,
  FormatError,
  loadWeights,
  manualSeed,
  restoreCheckpoint,
  Sequential,
  StateDictError,
} from '../../src/index.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { snapshot } from '../layers/helpers.ts';

/** Files of each kind; half are damaged, and half are made up. */
const files = Number(process.env.FUZZ ?? 6000);
const seed = process.env.CI ? 20150211 : Date.now() % 2 ** 31;
const timeout = 60_000 + files;

manualSeed(1);
const model = new Sequential(new Dense(2, 3), new BatchNorm1d(3));
const optimizer = new Adam(model.parameters());
const twin = new Sequential(new Dense(2, 3), new BatchNorm1d(3));
const parts = { model: twin, optimizer: new Adam(twin.parameters()) };

const random = seededStream(seed);
const below = (n: number): number => Math.floor(random.uniform() * n);
const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)];

/** Pieces of headers, numbers that are limits, and JSON of all kinds. */
const pieces = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '\\u0000',
    ' ',
    '-',
    '0',
    '1',
    '9',
    'e',
    '.',
    '\0',
    'ü',
    '\ud800',
  ],
  ...['null', 'true', '-1', '1.5', '-0', '1e999', '9007199254740992', '18446744073709551615', '4294967296'],
  ...['"F32"', '"F64"', '"F16"', '"BF16"', '"I64"', '"I32"', '"U8"', '"BOOL"', '"F8_E4M3"', '"f32"'],
  ...['"dtype":', '"shape":', '"data_offsets":', '"__metadata__":', '"__proto__":', '"constructor":'],
  ...['"model.0.weight":', '"optimizer.0.m":', '{}', '[]', '[0,0]', '[[[]]]', '"\\"'],
];

/** The bytes with some bits flipped, bytes overwritten, parts cut out, doubled or moved, or the end cut off. */
function damaged(bytes: Uint8Array): Uint8Array {
  let file = bytes.slice();
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const header = 8 + Math.min(file.length, new DataView(bytes.buffer).getUint32(0, true));
    const at = below(random.uniform() < 0.8 ? Math.min(header, file.length) : file.length);
    const part = file.slice(at, at + 1 + below(20));
    const text = new TextEncoder().encode(pick(pieces));
    const joined = (...all: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(all));
    const kind = below(8);
    if (kind === 0) file[at] ^= 1 << below(8);
    else if (kind === 1) file[at] = random.uint32();
    else if (kind === 2) file = joined(file.subarray(0, at), text, file.subarray(at));
    else if (kind === 3) file = joined(file.subarray(0, at), text, file.subarray(at + text.length));
    else if (kind === 4) file = joined(file.subarray(0, at), file.subarray(at + part.length));
    else if (kind === 5) file = joined(file.subarray(0, at), part, file.subarray(at));
    else if (kind === 6) file = file.slice(0, at);
    else file = joined(file, text);
    if (file.length === 0) break;
    // Half of the time the size of the header follows, so that the damage is found later.
    if (kind > 1 && kind < 6 && random.uniform() < 0.5) fixSize(file);
  }
  return file;
}

/** Writes the place of the last bracket in front of the values as the size of the header. */
function fixSize(file: Uint8Array): void {
  const end = file.lastIndexOf(0x7d);
  if (file.length >= 8 && end > 8) new DataView(file.buffer).setBigUint64(0, BigInt(end - 7), true);
}

/** A header of random entries, which may be right, and values. */
function madeUp(): Uint8Array {
  const extent = () => pick([0, 1, 1, 2, 2, 3, 2 ** 32, 2 ** 53 - 1]);
  let at = 0;
  const entries = Array.from({ length: below(5) }, () => {
    const shape = Array.from({ length: below(4) }, extent);
    const dtype = pick(['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'U8', 'BOOL']);
    const size =
      Math.min(
        100,
        shape.reduce((n, m) => n * m, 1),
      ) * pick([8, 4, 4, 2, 1]);
    const begin = at;
    at += size;
    const name = pick(['0.weight', '0.bias', '1.weight', '1.bias', '1.running_mean', 'x', '', 'toString']);
    const offsets = random.uniform() < 0.9 ? [begin, at] : [at, begin];
    return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[${offsets.join()}]}`;
  });
  if (random.uniform() < 0.3)
    entries.push(`"__metadata__":{"gammabeta":"1",${pick(['"epoch":"0"', '"a":1', ''])}}`);
  const text = new TextEncoder().encode(`{${entries.join(pick([',', ' , ', ',\n']))}}`);
  const file = new Uint8Array(8 + text.length + Math.max(0, at + pick([0, 0, 0, -1, 1])));
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  for (let i = 8 + text.length; i < file.length; i++) file[i] = random.uint32() & pick([0, 1, 255]);
  return file;
}

/** Reads each file; returns how many were read. Any other error than those expected fails the test. */
async function tried(
  make: () => Uint8Array,
  read: (bytes: Uint8Array) => unknown,
  kinds: readonly (abstract new (...args: never[]) => Error)[],
  before: unknown,
): Promise<number> {
  let count = 0;
  let slowest = 0;
  for (let k = 0; k < files / 2; k++) {
    const bytes = make();
    const start = process.cpuUsage(); // other processes may use the processor for longer than a second
    try {
      read(bytes);
      count++;
    } catch (error) {
      const isExpected =
        kinds.some((kind) => error instanceof kind) && /: .+\. Hint: .+/s.test(String(error));
      if (!isExpected) throw new Error(`seed ${seed}, file ${k}: ${encoded(bytes)}`, { cause: error });
      if (before !== null && k % 100 === 0) expect(snapshot(twin)).toEqual(before);
    }
    const { user, system } = process.cpuUsage(start);
    slowest = Math.max(slowest, (user + system) / 1000);
    if (k % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(slowest).toBeLessThan(1000);
  expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  return count;
}

const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

describe('of damaged and made-up files', () => {
  // Random weights may be NaN, which loadWeights counts in a warning.
  beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));
  afterAll(() => void vi.restoreAllMocks());

  const tensors = {
    a: { dtype: 'F16', shape: [2, 2], data: new Float32Array(4) },
    b: { dtype: 'I64', shape: [], data: BigInt64Array.of(3n) },
    c: { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
    d: { shape: [0, 4], data: new Float64Array(0) },
  } as const;
  const plain = encodeSafetensors(tensors, { key: 'value' });
  const weights = encodeWeights(model, { layout: 'pytorch' });

  it('decodeSafetensors reads some', { timeout }, async () => {
    expect(await tried(() => damaged(plain), decodeSafetensors, [FormatError], null)).toBeGreaterThan(0);
    expect(await tried(madeUp, decodeSafetensors, [FormatError], null)).toBeGreaterThan(0);
  });

  it('loadWeights loads a whole one, or changes nothing', { timeout }, async () => {
    const state = model.stateDict();
    const read = (bytes: Uint8Array) => {
      loadWeights(twin, bytes, pick([{}, { strict: false }, { layout: 'pytorch' }]));
      twin.loadStateDict(state);
    };
    twin.loadStateDict(state);
    const before = snapshot(twin);
    await tried(() => damaged(weights), read, [FormatError, StateDictError], before);
    await tried(madeUp, read, [FormatError, StateDictError], before);
  });

  it('restoreCheckpoint restores a whole one, or changes nothing', { timeout }, async () => {
    const checkpoint = await encodeCheckpoint({ model, optimizer, extra: { note: 'ü' } });
    const read = (bytes: Uint8Array) => {
      restoreCheckpoint(bytes, parts);
      restoreCheckpoint(checkpoint, parts);
    };
    restoreCheckpoint(checkpoint, parts);
    const before = snapshot(twin);
    await tried(() => damaged(checkpoint), read, [CheckpointError], before);
    await tried(madeUp, read, [CheckpointError], before);
  });
});
