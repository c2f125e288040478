import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/dataset.ts';
import { dataset, type Rows, type RowsOptions } from '../../src/data/rows.ts';
import { ValueError } from '../../src/tensor/errors.ts';
import { refusal } from './helpers.ts';

describe('dataset', () => {
  it('takes rows of numbers, in float64, and class indices', () => {
    const data = dataset(
      [
        [0.1, 2],
        [1e9 + 1, 3],
        [4, 5],
      ],
      [2, 0, 1],
    );
    expect(data).toEqual({
      x: new Float64Array([0.1, 2, 1e9 + 1, 3, 4, 5]),
      shape: [2],
      labels: new Uint8Array([2, 0, 1]),
    });
    expect(checkDataset('fit', data)).toBe(3);
  });

  it('takes rows of any depth', () => {
    const image = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    expect(dataset([image, image], [0, 1])).toMatchObject({ shape: [2, 3] });
    expect([...dataset([image, image], [0, 1]).x]).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
  });

  it('takes numbers as one column', () => {
    expect(dataset([5, 6, 7], [0, 1, 0])).toMatchObject({ x: new Float64Array([5, 6, 7]), shape: [1] });
    expect(dataset(new Uint8Array([5, 6]), [0, 1])).toMatchObject({ x: new Uint8Array([5, 6]), shape: [1] });
  });

  it('takes flat arrays with the shape of one example, typed ones without a copy', () => {
    const bytes = new Uint8Array(8);
    const data = dataset(bytes, [0, 1], { shape: [2, 2] });
    expect(data.x).toBe(bytes);
    expect(data.shape).toEqual([2, 2]);
    expect(dataset([1, 2, 3, 4], [0, 1], { shape: [2] }).x).toEqual(new Float64Array([1, 2, 3, 4]));
  });

  it('keeps the kind of rows that are typed arrays of one kind', () => {
    const bytes = [Uint8Array.of(1, 2), Uint8Array.of(3, 4)];
    expect(dataset(bytes, [0, 1])).toMatchObject({ x: new Uint8Array([1, 2, 3, 4]), shape: [2] });
    const mixed: Rows = [Uint8Array.of(1, 2), Float32Array.of(0.5, 4)];
    expect(dataset(mixed, [0, 1]).x).toEqual(new Float64Array([1, 2, 0.5, 4]));
  });

  it('gives nested rows another shape on request', () => {
    const rows = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    expect(dataset(rows, [0, 1], { shape: [2, 2] }).shape).toEqual([2, 2]);
    expect(refusal(() => dataset(rows, [0, 1], { shape: [2] })).problem).toContain('2 labels, 4 examples');
  });

  it.each([
    [[0, 255], Uint8Array],
    [[0, 256], Uint16Array],
    [[-100, 1], Int8Array],
    [[-1, 300], Int16Array],
    [[0, 70_000], Int32Array],
    [[0, 2 ** 32], Float32Array],
    [[0, 0.5], Float32Array],
  ])('stores the labels %j in the smallest array', (labels, kind) => {
    const data = dataset([[1], [2]], labels);
    expect(data.labels).toEqual(kind.from(labels));
    expect(data).not.toHaveProperty('targetShape');
  });

  it('takes typed labels as they are, and nested ones as targets', () => {
    const labels = new Float64Array([0.1, 2]);
    expect(dataset([[1], [2]], labels).labels).toBe(labels);
    expect(
      dataset(
        [[1], [2]],
        [
          [0, 1],
          [2, 3],
        ],
      ),
    ).toMatchObject({
      labels: new Float32Array([0, 1, 2, 3]),
      targetShape: [2],
    });
    expect(dataset([[1], [2]], [1, 2, 3, 4], { targetShape: [2] })).toMatchObject({
      labels: new Uint8Array([1, 2, 3, 4]),
      targetShape: [2],
    });
  });
});

describe('dataset refuses', () => {
  const good = [
    [1, 2],
    [3, 4],
  ];
  const refused = (rows: unknown, labels: unknown = [0, 1], options?: unknown) =>
    refusal(() => dataset(rows as Rows, labels as Rows, options as RowsOptions));

  it.each([
    [[[1, 2], [3]], 'row 1 is an array of 1, where an array of 2 is expected'],
    [[[1, 2], 3], 'row 1 is the number 3, where an array of 2 is expected'],
    [[[1, [2]], 3], 'row 0, column 1 is an array of 1, where a number is expected'],
    [
      [
        [[1], [2]],
        [[1], [2, 3]],
      ],
      'row 1, column 1 is an array of 2, where an array of 1 is expected',
    ],
    [[[[1, 2]], [[1, '2']]], "row 1, column [0, 1] is not a number: '2' (a string)"],
  ])('ragged rows: %j', (rows, problem) => {
    expect(refused(rows).problem).toBe(problem);
  });

  it.each([
    ['5.1', "row 1, column 0 is not a number: '5.1' (a string)", /Number/],
    ['setosa', "row 1, column 0 is not a number: 'setosa' (a string)", /leave out the column/],
    ['', "row 1, column 0 is not a number: '' (a string)", /missing/],
    [null, 'row 1, column 0 is not a number: null', /missing/],
    [undefined, 'row 1, column 0 is not a number: undefined', /missing/],
    [true, 'row 1, column 0 is not a number: true', /Number/],
    [1n, 'row 1, column 0 is not a number: 1n', /Number/],
    [Symbol('a'), 'row 1, column 0 is not a number: Symbol(a)', /column/],
    [NaN, 'row 1, column 0 is not a finite number: NaN', /missing/],
    [Infinity, 'row 1, column 0 is not a finite number: Infinity', /missing/],
  ])('the value %s in a row', (value, problem, hint) => {
    const error = refused([
      [1, 2],
      [value, 4],
    ]);
    expect(error.problem).toBe(problem);
    expect(error.hint).toMatch(hint);
  });

  it('values that are not finite in typed rows', () => {
    const x = Float32Array.of(0, 1, 2, 3, 4, 5, NaN, 7);
    expect(refused(x, [0, 1], { shape: [4] }).problem).toBe('row 1, column 2 is not a finite number: NaN');
    expect(refused(x, [0, 1], { shape: [2, 2] }).problem).toContain('row 1, column [1, 0]');
    expect(refused([new Float32Array(2), Float32Array.of(1, NaN)]).problem).toContain('row 1, column 1');
  });

  it('labels that are not numbers, with a hint that works', () => {
    const words = ['setosa', 'virginica', 'setosa'];
    const error = refused([[1], [2], [3]], words);
    expect(error.problem).toBe("label 0 is not a number: 'setosa' (a string)");
    expect(error.hint).toContain('labels.map((label) => classes.indexOf(label))');
    const classes = [...new Set(words)];
    expect(
      dataset(
        [[1], [2], [3]],
        words.map((label) => classes.indexOf(label)),
      ).labels,
    ).toEqual(new Uint8Array([0, 1, 0]));
    expect(refused(good, [0, NaN]).problem).toBe('label 1 is not a finite number: NaN');
    expect(refused(good, [0, 1e39]).problem).toBe('label 1 is not a finite number: Infinity');
    expect(refused(good, [0n, 1n]).hint).toContain('Number');
    expect(refused(good, [[0, 1], [2]]).problem).toContain('label 1 is an array of 1');
    expect(refused(good, new BigInt64Array(2)).problem).toContain('BigInt64Array');
  });

  it('objects in place of rows, with a hint that works', () => {
    const rows = [
      { width: 1, 'petal length': 2 },
      { width: 3, 'petal length': 4 },
    ];
    const error = refused(rows);
    expect(error.problem).toBe('row 0 is not a number: an Object');
    expect(error.hint).toContain('rows.map((row) => [row["width"], row["petal length"]])');
    expect([
      ...dataset(
        rows.map((row) => [row.width, row['petal length']]),
        [0, 1],
      ).x,
    ]).toEqual([1, 2, 3, 4]);
  });

  it('other numbers of labels than rows', () => {
    expect(refused(good, [0]).problem).toContain('1 labels, 2 examples');
    expect(refused([1, 2, 3, 4]).hint).toContain('{ shape: [4] }');
    expect(refused([], []).problem).toBe('the dataset is empty: 0 examples');
    expect(refused([[]], [0]).problem).toContain('not positive integers: [0]');
  });

  it('what is no array', () => {
    for (const rows of [undefined, null, 3, 'abc', { a: [1] }, new ArrayBuffer(8), new BigInt64Array(2)]) {
      expect(refused(rows).problem).toContain('the rows are not an array');
    }
    expect(refused(good, null).problem).toContain('the labels are not an array');
  });

  it('shapes that are none, and unknown options', () => {
    expect(refused(good, [0, 1], { shape: 2 }).problem).toBe('shape is not an array: 2');
    expect(refused(good, [0, 1], { targetShape: 2 }).problem).toBe('targetShape is not an array: 2');
    const misspelt = { Shape: [2] } as RowsOptions;
    expect(refusal(() => dataset(good, [0, 1], misspelt), ValueError).problem).toBe('unknown option: Shape');
  });
});
