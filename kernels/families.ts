/** Families of kernels: the shape rule, the sizes and the cost that the kernels of a family share. */
import { ShapeError } from './errors.ts';
import type { Definition, Kernel, Loops, NoParams, Params, Shape } from './kernel.ts';
import { expectSameShape, formatShape, sameShape, sizeOf } from './shape.ts';

/**
 * What an elementwise kernel declares. `flops` counts the operations per element, 1 by default; a root or an exponential
 * counts as one. The kernel has a SIMD form of its own name, except with `hasSimd: false`.
 */
type Elementwise<P extends Params = NoParams> = Definition<P> & { flops?: number; hasSimd?: boolean };

/**
 * Each output element comes from the input elements at the same place: all shapes are equal, and the size is the
 * number of elements.
 */
export function elementwise<P extends Params>(
  { flops = 1, hasSimd = true, ...definition }: Elementwise<P>,
  reference: Loops<P>,
): Kernel<P> {
  return {
    ...definition,
    ...(hasSimd ? { simd: definition.name } : {}),
    shape: (shapes) => expectSameShape(definition.name, shapes),
    sizes: ([first]) => [sizeOf(first)],
    reference,
    inPlace: true,
    cost: ([n]) => ({ flops: flops * n, bytes: 4 * n * (definition.inputs.length + 1) }),
  };
}

/**
 * The elementwise kernel y[i] = f(a[i], b[i], c[i]), for as many inputs as f takes. A call for each element is several
 * times slower than a loop that is written out; `cpu` still spends nearly all of a training step in matrix products.
 */
export function pointwise(definition: Elementwise, f: (a: number, b: number, c: number) => number): Kernel {
  return elementwise(definition, (y, [a, b = a, c = a], [n]) => {
    for (let i = 0; i < n; i++) y[i] = f(a[i], b[i], c[i]);
  });
}

/** The same for a function f with parameters, its first argument. */
export function pointwiseWith<P extends Params>(
  definition: Elementwise<P>,
  f: (params: P, a: number, b: number) => number,
): Kernel<P> {
  return elementwise(definition, (y, [a, b = a], [n], params) => {
    for (let i = 0; i < n; i++) y[i] = f(params, a[i], b[i]);
  });
}

// ── on the columns of a matrix: x is [m, C], and a vector [C] holds one value per column ───────────────

/** Checks that x is [m, C] with at least `rows` rows, and each of `vectors` is [C]. Returns [C]. */
export function expectColumns(op: string, x: Shape, vectors: readonly Shape[] = [], rows = 0): Shape {
  const columns = x.slice(1);
  if (x.length === 2 && x[0] >= rows && vectors.every((vector) => sameShape(vector, columns))) return columns;
  const expected = `x [m, C]${rows > 0 ? ` with m ≥ ${rows}` : ''}${vectors.map(() => ', [C]').join('')}`;
  const problem = `expected ${expected}: ${[x, ...vectors].map(formatShape).join(', ')}`;
  throw new ShapeError(op, problem, 'x has one row per example and one column per feature');
}

/** Vectors [C] → [C]. */
export function perColumn<P extends Params>(definition: Definition<P>, reference: Loops<P>): Kernel<P> {
  const { name, inputs } = definition;
  return {
    ...definition,
    shape: (shapes) => {
      const shape = expectSameShape(name, shapes);
      if (shape.length === 1) return shape;
      throw new ShapeError(name, `expected vectors [C]: ${formatShape(shape)}`, 'give one value per column');
    },
    sizes: ([first]) => first,
    reference,
    cost: ([C]) => ({ flops: 3 * C, bytes: 4 * C * (inputs.length + 1) }),
  };
}

/** A matrix x [m, C] and vectors [C] → [m, C]: every row of x with the same vectors. */
export function rowwise(definition: Definition, reference: Loops): Kernel {
  return {
    ...definition,
    shape: ([x, ...vectors]) => {
      expectColumns(definition.name, x, vectors);
      return x;
    },
    sizes: ([x]) => x,
    reference,
    cost: ([m, C]) => ({ flops: (definition.inputs.length - 1) * m * C, bytes: 8 * m * C }),
  };
}

/** Matrices [m, C] → [C]: a sum over the rows, 0 over none, with one multiplication per further matrix. */
export function columnSum(definition: Definition, reference: Loops): Kernel {
  const { name, inputs } = definition;
  return {
    ...definition,
    simd: name,
    shape: (shapes) => expectColumns(name, expectSameShape(name, shapes)),
    sizes: ([x]) => x,
    reference,
    cost: ([m, C]) => ({ flops: inputs.length * m * C, bytes: 4 * inputs.length * m * C }),
  };
}
