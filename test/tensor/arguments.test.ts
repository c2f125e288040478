/** The checks of arguments: what they accept, and how their messages show what they do not. */
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/tensor/create.ts';
import {
  expectAtMost,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectTensor,
  expectTensors,
  shown,
  ValueError,
} from '../../src/tensor/errors.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { expectError } from './expect-error.ts';

/** A value as a caller from JavaScript may pass it, whatever the declared type. */
const untyped = (value: unknown): never => value as never;

const strangers: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    'text',
    0.5,
    2n,
    Symbol('s'),
    [1, 2],
    new Float32Array(2),
    new Map(),
    new Date(0),
  ],
  ...[
    () => 1,
    class A extends Set {},
    tensor([1]),
    Promise.resolve(1),
    Object.create(null) as unknown,
    new (class B {
      b = 1;
    })(),
  ],
];

describe('shown', () => {
  it('says what a value is', () => {
    expect(
      [0.1, '0.1', null, undefined, true, 1n, [1, 2], new Float32Array(3), new Map(), { a: 1 }, Math.max].map(
        shown,
      ),
    ).toEqual([
      ...[
        '0.1',
        "'0.1' (a string)",
        'null',
        'undefined',
        'true',
        '1n',
        'an Array of 2',
        'a Float32Array of 3',
      ],
      ...['a Map', 'an Object', 'the function max'],
    ]);
    expect(shown(tensor([[1, 2]]))).toBe('a tensor of shape [1, 2]');
  });

  it('has words for every value', () => {
    for (const value of strangers) expect(shown(value)).toMatch(/\w/);
  });
});

describe('the checks', () => {
  it('of numbers refuse what JavaScript would convert', () => {
    expect(expectNumber('f', 'x', 0.5, { from: 0, below: 1 })).toBe(0.5);
    expectError(() => expectNumber('f', 'x', untyped('0.1')), ValueError, /^f: x is '0\.1' \(a string\)\./);
    for (const value of strangers.filter((each) => typeof each !== 'number')) {
      expectError(
        () => expectNumber('f', 'x', untyped(value), { from: 0 }),
        ValueError,
        /a finite number ≥ 0 is/,
      );
      expectError(() => expectInteger('f', 'x', untyped(value), 1), ValueError, /an integer ≥ 1 is expected/);
    }
  });

  it('of options accept objects of known names only', () => {
    expectOptions('f', { a: undefined }, ['a', 'b']);
    expectOptions('f', Object.create(null) as object, ['a', 'b']);
    const objects = strangers.filter((each) => Object.prototype.toString.call(each) === '[object Object]');
    expect(objects.length).toBe(2); // without a prototype, and of a class
    for (const value of [tensor([1]), ...strangers.filter((each) => !objects.includes(each))]) {
      const message = /^f: options is .*pass options by name, as in \{ a: value \}; known options: a, b$/;
      expectError(() => expectOptions('f', untyped(value), ['a', 'b']), ValueError, message);
    }
    expectError(
      () => expectOptions('f', { c: 1 }, ['a']),
      ValueError,
      /unknown option: c\. Hint: known options: a/,
    );
  });

  it('of choices show what was given', () => {
    expect(expectOneOf('f', 'x', 'a', ['a', 'b', 'c'])).toBe('a');
    const hint = "Hint: use 'a', 'b' or 'c'";
    for (const [value, is] of [
      ['d', "'d'"],
      [1, '1'],
      [null, 'null'],
      [['a'], 'an Array of 1'],
    ] as const) {
      const message = new RegExp(`^f: x is ${is}\\. ${hint}$`);
      expectError(() => expectOneOf('f', 'x', untyped(value), ['a', 'b', 'c']), ValueError, message);
    }
  });

  it('of booleans, functions and tensors accept nothing else', () => {
    const accepts = (check: (value: never) => unknown, fits: readonly unknown[]): void => {
      for (const value of fits) expect(check(untyped(value))).toBe(value);
      const kinds = fits.map((each) => typeof each + shown(each).slice(0, 8));
      const others = strangers.filter((each) => !kinds.includes(typeof each + shown(each).slice(0, 8)));
      for (const value of others) {
        expectError(() => check(untyped(value)), ValueError, /^f: x is .+\. Hint: .+/);
      }
      expect(others.length).toBeGreaterThan(strangers.length - 3);
    };
    accepts((x: boolean) => expectBoolean('f', 'x', x), [true, false]);
    accepts((x: () => number) => expectFunction('f', 'x', x), [Math.max, () => 1]);
    accepts((x: Tensor) => expectTensor('f', 'x', x), [tensor([1])]);
    const tensors = (x: readonly Tensor[]) => {
      expectTensors('f', 'x', x);
      return x;
    };
    accepts(tensors, [[tensor([1])], []]);
    expectError(() => expectTensors('f', 'xs', untyped([tensor([1]), 2])), ValueError, /^f: xs\[1\] is 2\./);
  });

  it('of the number of arguments give the hint', () => {
    expectAtMost('f', 1, 1, 'use g');
    expectError(
      () => expectAtMost('f', 2, 1, 'use g'),
      ValueError,
      /^f: too many arguments: 2, at most 1\. Hint: use g$/,
    );
  });
});
