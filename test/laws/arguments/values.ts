/**
 * Values that programs pass by mistake. `public-api.ts` reads their types with the TypeScript compiler: a value is wrong
 * for a parameter if its type cannot be assigned to that of the parameter.
 */
import { DataLoader, Dense, ones, ReLU, Sequential, SGD, type Tensor, tensor } from '../../../src/index.ts';

/** Each function makes a new value, so that no call can change the value of another one. */
export const values = {
  undefined: (): undefined => undefined,
  null: (): null => null,
  "''": (): string => '',
  "'text'": (): string => 'text',
  "'1'": (): string => '1',
  true: (): boolean => true,
  false: (): boolean => false,
  '1n': (): bigint => 1n,
  'Symbol()': (): symbol => Symbol('s'),
  'a function': (): (() => undefined) => () => undefined,
  'a class': (): typeof ReLU => ReLU,
  '[]': (): never[] => [],
  '[1, 2]': (): number[] => [1, 2],
  '[[1, 2], [3, 4]]': (): number[][] => [
    [1, 2],
    [3, 4],
  ],
  "['1', '2']": (): string[] => ['1', '2'],
  '[null, null]': (): null[] => [null, null],
  '[1n, 2n]': (): bigint[] => [1n, 2n],
  '[true, false]': (): boolean[] => [true, false],
  '[tensor]': (): Tensor[] => [tensor([1, 2])],
  'Float32Array [1, 2]': (): Float32Array => new Float32Array([1, 2]),
  'BigInt64Array [1, 2]': (): BigInt64Array => new BigInt64Array([1n, 2n]),
  DataView: (): DataView => new DataView(new ArrayBuffer(8)),
  ArrayBuffer: (): ArrayBuffer => new ArrayBuffer(8),
  '{}': (): Record<string, never> => ({}),
  '{ unknown: 1 }': (): { unknown: number } => ({ unknown: 1 }),
  'new Number(1)': (): object => Object(1) as object,
  Map: (): Map<string, number> => new Map([['a', 1]]),
  Set: (): Set<number> => new Set([1]),
  Date: (): Date => new Date(0),
  RegExp: (): RegExp => /1/,
  'Promise of 1': (): Promise<number> => Promise.resolve(1),
  URL: (): URL => new URL('https://example.org'),
  AbortController: (): AbortController => new AbortController(),
  'a tensor': (): Tensor => tensor([1, 2]),
  'a promise of a tensor': (): Promise<Tensor> => Promise.resolve(tensor([1, 2])),
  'a layer': (): ReLU => new ReLU(),
  'a model': (): Sequential => new Sequential(new Dense(2, 2, { init: ones })),
  'a loader': (): DataLoader =>
    new DataLoader({ x: new Float32Array(4), shape: [2], labels: new Uint8Array(2) }, { batchSize: 2 }),
  'an optimizer': (): SGD => new SGD([tensor([1], { requiresGrad: true })], { lr: 1 }),
};

export type ValueName = keyof typeof values;

/** Numbers at and beyond the ends of usual ranges. `ranges.ts` says which of them a parameter takes. */
export const numbers: readonly number[] = [NaN, Infinity, -Infinity, -1, 0, 1.5, 2 ** 53];
