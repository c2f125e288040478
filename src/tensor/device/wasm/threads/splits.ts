/**
 * How each kernel is divided among threads: by its outputs, never by the terms of a sum. So each number is computed by
 * the same operations in the same order, and the results have the same bits with any number of threads. (Layer
 * normalization sums over rows in blocks of a fixed size, which are outputs, too.) What decides between two ways to
 * compute a kernel, such as the form of a product, is decided once for all threads.
 *
 * The work of a unit is in picoseconds: the best time of a call on one thread, of Node 24 on an AMD EPYC (layer
 * normalization: Node 20 on a Xeon), with arrays that fit in L2 (16,384 elements, in [128, 128] where there are
 * columns), rounded. It only decides how many threads share a call, so a processor that is twice as fast needs no other
 * figures.
 */
import type { Form, Pool } from './pool.ts';

/** Runs a kernel on several threads. The arguments are those of its export. */
export type Split = (args: number[]) => void;

const FLOAT = 4;
const DOUBLE = 8;
/** Floats per cache line: no two threads write to one. */
const LINE = 16;
/** Rows and columns of a tile of a product. */
const ROWS = 4;
const COLUMNS = 8;
/** Rows of dW that are computed together: see `batchnorm-dense.ts`. */
const BLOCK = 60;
/** Rows up to which that is so, and up to which a product reads B in place. */
const FEW = 64;
/** Rows of layer normalization whose gradients are summed together: see `layernorm.ts`. */
const SUMMED = 32;

/** The forms of a product that are divided: see `matmul.ts`. In the others, y is small or a sum is very long. */
const IN_BLOCKS = -1;
const SUMS = 2;
const TILES = 3;
const SPARSE = 4;

/**
 * Whether a product y = A·B, with y [m, n], is divided by columns of y. A thread reads its part of one factor, and all
 * of the other, which may be in the cache of another core: so the larger factor is divided, which is B if n > m. Zeros
 * are found again by each thread, which costs too much with many rows.
 */
const isByColumns = (form: number, m: number, n: number): boolean =>
  form === SUMS || (n > m && (form === TILES || (form === SPARSE && m <= FEW)));

/** The rows of y that a thread computes are a multiple of this. */
const rowGrain = (form: number, m: number): number => (form < TILES ? m : ROWS);
/** The columns of y that a thread computes are a multiple of this. */
const columnGrain = (form: number): number => (form === TILES ? COLUMNS : LINE);

/** The work of a multiply-add, in products of 32×784×300 to 256×300×100. */
const MULTIPLY_ADD = 40;

/**
 * The fewest elements of a kernel that does little with each, such as `add`. Below, its arrays fit into the cache of one
 * core, and fetching half of them from there takes longer than the kernel: with 2¹⁷ elements that one thread has written,
 * `add` on two threads is 0.83 times as fast as on one, with 2¹⁸ 1.03 times. (Node 24 on a Xeon with 2 MB of L2 per core.)
 */
const FETCHED = 2 ** 18;
/** The same for `denseDz`: [256, 100] 0.7 times as fast, [256, 300] 1.08 times. */
const FETCHED_COLUMNS = 2 ** 16;

/** The most work per element of a kernel that does little. */
const LITTLE = 600;

/** Elementwise kernels, and how many arrays they have: each array moves by one element. */
const elementwise: Readonly<Record<string, readonly [arrays: number, work: number]>> = {
  add: [3, 200],
  sub: [3, 200],
  mul: [3, 200],
  div: [3, 250],
  maximum: [3, 300],
  maximumDx: [4, 350],
  scale: [2, 200],
  exp: [2, 1200],
  log: [2, 2000],
  sqrt: [2, 250],
  abs: [2, 200],
  absDx: [3, 400],
  relu: [2, 250],
  reluDx: [3, 250],
  leakyRelu: [2, 250],
  leakyReluDx: [3, 300],
  sigmoid: [2, 1700],
  sigmoidDx: [3, 300],
  tanh: [2, 2300],
  tanhDx: [3, 300],
  assign: [3, 100],
  blend: [3, 200],
  secondMoment: [3, 250],
  centeredMoment: [3, 1200],
  divideByRoot: [3, 500],
};

/** Updates, and how many arrays they have. Each thread updates rows of W whose gradient it has computed itself. */
const updates: Readonly<Record<string, readonly [arrays: number, work: number]>> = {
  sgdUpdate: [2, 300],
  momentumUpdate: [3, 450],
  adamUpdate: [4, 600],
  amsgradUpdate: [5, 700],
  rmspropUpdate: [3, 600],
  rmspropMomentumUpdate: [4, 700],
  rmspropCenteredUpdate: [4, 1500],
  rmspropCenteredMomentumUpdate: [5, 1600],
};

/** Kernels on the columns of [m, C]: the bytes by which each array moves per column, and the work per element. */
const columns: Readonly<Record<string, readonly [steps: readonly number[], work: number]>> = {
  batchnormForward: [[FLOAT, DOUBLE, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT], 400],
  batchnormTraining: [[FLOAT, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT], 250],
  batchnormInference: [[FLOAT, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT], 150],
  batchnormSums: [[FLOAT, FLOAT, FLOAT, FLOAT, DOUBLE, DOUBLE], 150],
  batchnormBackward: [[FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, DOUBLE, DOUBLE, FLOAT], 400],
  denseDz: [[FLOAT, FLOAT, FLOAT, FLOAT], 400],
};

/** Kernels on rows along an axis of [outer, n, inner], and how many such arrays they have. */
const rows: Readonly<Record<string, readonly [arrays: number, work: number]>> = {
  softmax: [2, 4000],
  softmaxDx: [3, 1500],
  logSoftmax: [2, 4000],
  logSoftmaxDx: [3, 2500],
};

/** The ways to divide kernels, by the names of their exports. */
export function splitsOf(pool: Pool): ReadonlyMap<string, Split> {
  const form = (name: string): Form => {
    const found = pool.forms.get(name);
    if (found === undefined) throw new Error(`no export: ${name}`);
    return found;
  };
  const productForm = form('productForm');
  const productPart = form('productPart');
  const areFinite = form('areFinite');
  const isSparse = form('isSparse');

  /** Whether all n floats at x are finite. */
  const finite = (x: number, n: number) => pool.all(areFinite, [x, n], [FLOAT], 1, LINE, 70);

  /** The form of a product. */
  const formOf = (
    a: number,
    ai: number,
    ap: number,
    b: number,
    bj: number,
    m: number,
    k: number,
    n: number,
  ) => {
    const found = pool.alone(productForm, a, ai, ap, bj, m, k, n);
    return found === SPARSE && !finite(b, k * n) ? TILES : found;
  };

  /** y = A·B in a form. a(i,p) is at a[i·ai + p·ap], b(p,j) at b[p·bp + j·bj]. */
  const productIn = (
    chosen: number,
    y: number,
    a: number,
    ai: number,
    ap: number,
    b: number,
    bp: number,
    bj: number,
    m: number,
    k: number,
    n: number,
  ) => {
    const args = [chosen, y, a, ai, ap, b, bp, bj, m, k, n, n];
    if (isByColumns(chosen, m, n)) {
      const steps = [0, FLOAT, 0, 0, 0, FLOAT * bj];
      pool.run(productPart, args, steps, 10, columnGrain(chosen), MULTIPLY_ADD * k * m);
    } else {
      const steps = [0, FLOAT * n, FLOAT * ai];
      pool.run(productPart, args, steps, 8, rowGrain(chosen, m), MULTIPLY_ADD * k * n);
    }
  };

  /** y = A·B. */
  const product = (
    strides: (m: number, k: number, n: number) => readonly [number, number, number, number],
  ): Split => {
    return ([y, a, b, m, k, n]) => {
      const [ai, ap, bp, bj] = strides(m, k, n);
      productIn(formOf(a, ai, ap, b, bj, m, k, n), y, a, ai, ap, b, bp, bj, m, k, n);
    };
  };

  /** y = activation(x·W + b) in a form. */
  const densePart = form('densePart');
  const denseIn = (
    chosen: number,
    y: number,
    x: number,
    W: number,
    b: number,
    m: number,
    k: number,
    n: number,
    slope: number,
  ) => {
    const args = [chosen, y, x, W, b, m, k, n, n, slope];
    if (isByColumns(chosen, m, n)) {
      const steps = [0, FLOAT, 0, FLOAT, FLOAT];
      pool.run(densePart, args, steps, 7, columnGrain(chosen), MULTIPLY_ADD * k * m);
    } else {
      const steps = [0, FLOAT * n, FLOAT * k];
      pool.run(densePart, args, steps, 5, rowGrain(chosen, m), MULTIPLY_ADD * k * n);
    }
  };

  const batchnormForward = form('batchnormForward');
  const batchnormInParts = form('batchnormInParts');
  const addBias = form('addBias');
  const batchnormDense: Split = (args) => {
    const [y, mean, variance, rstd, x, gamma, beta, W, b, scratch, m, k, n, eps, slope] = args;
    if (pool.alone(isSparse, x, k, 1, m, k, n) !== 0) {
      const constant = scratch + FLOAT * m * k;
      const bias = constant + FLOAT * k;
      pool.run(
        batchnormInParts,
        [scratch, constant, mean, variance, rstd, x, gamma, beta, m, k, k, eps],
        [FLOAT, FLOAT, DOUBLE, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT],
        10,
        LINE,
        250 * m,
      );
      const chosen = pool.alone(productForm, constant, k, 1, 1, 1, k, n);
      productIn(chosen, bias, constant, k, 1, W, n, 1, 1, k, n);
      if (pool.alone(areFinite, bias, n) !== 0) {
        pool.alone(addBias, bias, bias, b, 1, n);
        denseIn(SPARSE, y, scratch, W, bias, m, k, n, slope);
        return;
      }
    }
    const [steps, work] = columns.batchnormForward;
    const forward = [scratch, mean, variance, rstd, x, gamma, beta, m, k, k, eps];
    pool.run(batchnormForward, forward, steps, 9, LINE, work * m);
    denseIn(formOf(scratch, k, 1, W, 1, m, k, n), y, scratch, W, b, m, k, n, slope);
  };

  const shiftColumns = form('shiftColumns');
  const colSum = form('colSum');
  const batchnormDenseRows = form('batchnormDenseRows');
  const batchnormDenseSums: Split = (args) => {
    const [dgamma, dbeta, dW, dz, x, mean, rstd, gamma, beta, W, u, m, k, n] = args;
    const shift = u + FLOAT * m * k;
    const rest = shift + FLOAT * k;
    const sums = rest + FLOAT * k;
    const sparse = pool.alone(isSparse, x, 1, k, k, m, n) !== 0 && finite(dz, m * n);
    pool.run(
      shiftColumns,
      [u, shift, rest, x, mean, rstd, m, k, k, Number(sparse)],
      [FLOAT, FLOAT, FLOAT, FLOAT, DOUBLE, DOUBLE],
      8,
      LINE,
      200 * m,
    );
    pool.alone(colSum, sums, dz, m, n);
    const inBlocks = !sparse && m <= FEW;
    const chosen = sparse ? SPARSE : inBlocks ? IN_BLOCKS : formOf(u, 1, k, dz, 1, k, m, n);
    pool.run(
      batchnormDenseRows,
      [chosen, dgamma, dbeta, dW, dz, u, rest, sums, rstd, gamma, beta, W, m, k, n, k],
      [0, FLOAT, FLOAT, FLOAT * n, 0, FLOAT, FLOAT, 0, DOUBLE, FLOAT, FLOAT, FLOAT * n],
      15,
      inBlocks ? BLOCK : chosen < TILES ? k : ROWS,
      MULTIPLY_ADD * m * n,
    );
  };

  const crossEntropyRows = form('softmaxCrossEntropyRows');
  const sumLosses = form('sumLosses');
  const softmaxCrossEntropy: Split = ([loss, dlogits, logits, labels, weights, losses, m, K, smoothing]) => {
    pool.run(
      crossEntropyRows,
      [losses, dlogits, logits, labels, weights, m, K, smoothing],
      [DOUBLE, FLOAT * K, FLOAT * K, FLOAT, FLOAT],
      5,
      LINE,
      10_000 * K,
    );
    pool.alone(sumLosses, loss, losses, m);
  };

  const layernormRows = form('layernormRows');
  const layernormTotals = form('layernormTotals');
  /** By blocks of rows: each block has sums of its own, which are added in the same order with any number of threads. */
  const rowsOfLayernorm = (
    dx: number,
    sums: number,
    g: number,
    x: number,
    mean: number,
    rstd: number,
    gamma: number,
    m: number,
    C: number,
    groups: number,
  ) => {
    const row = FLOAT * C;
    const statistics = DOUBLE * groups;
    const sumsPerRow = (2 * FLOAT * groups * Math.ceil(C / groups / 4) * 4) / SUMMED;
    const steps = [row, sumsPerRow, row, row, statistics, statistics];
    pool.run(layernormRows, [dx, sums, g, x, mean, rstd, gamma, m, C, groups], steps, 7, SUMMED, 600 * C);
  };
  const layernormBackward: Split = ([dx, dgamma, dbeta, g, x, mean, rstd, gamma, sums, m, C, groups]) => {
    rowsOfLayernorm(dx, sums, g, x, mean, rstd, gamma, m, C, groups);
    pool.alone(layernormTotals, dgamma, dbeta, sums, m, C, groups);
  };
  const layernormSums: Split = ([dgamma, dbeta, g, x, mean, rstd, sums, m, C, groups]) => {
    rowsOfLayernorm(0, sums, g, x, mean, rstd, 0, m, C, groups);
    pool.alone(layernormTotals, dgamma, dbeta, sums, m, C, groups);
  };
  const layernormForward = form('layernormForward');

  const splits = new Map<string, Split>([
    ['layernormBackward', layernormBackward],
    ['layernormSums', layernormSums],
    [
      'layernormForward',
      (args) => {
        const [C, groups] = [args[7], args[8]];
        const steps = [FLOAT * C, DOUBLE * groups, DOUBLE * groups, FLOAT * C];
        pool.run(layernormForward, args, steps, 6, LINE, 300 * C);
      },
    ],
    ['matmul', product((_m, k, n) => [k, 1, n, 1])],
    ['matmulTransposedB', product((_m, k) => [k, 1, 1, k])],
    ['matmulTransposedA', product((m, _k, n) => [1, m, n, 1])],
    [
      'dense',
      ([y, x, W, b, m, k, n, slope]) => {
        denseIn(formOf(x, k, 1, W, 1, m, k, n), y, x, W, b, m, k, n, slope);
      },
    ],
    ['batchnormDense', batchnormDense],
    ['batchnormDenseSums', batchnormDenseSums],
    ['softmaxCrossEntropy', softmaxCrossEntropy],
  ]);
  const divideElements = (name: string, arrays: number, work: number, least: number): void => {
    const steps = Array<number>(arrays).fill(FLOAT);
    const whole = form(name);
    splits.set(name, (args) => {
      pool.run(whole, args, steps, arrays, LINE, work, least);
    });
  };
  for (const [name, [arrays, work]] of Object.entries(elementwise)) {
    divideElements(name, arrays, work, work > LITTLE ? 0 : FETCHED);
  }
  for (const [name, [arrays, work]] of Object.entries(updates)) divideElements(name, arrays, work, 0);
  for (const [name, [steps, work]] of Object.entries(columns)) {
    const whole = form(name);
    const m = steps.length;
    const least = name === 'denseDz' ? FETCHED_COLUMNS : 0;
    splits.set(name, (args) => {
      pool.run(whole, args, steps, m + 2, LINE, work * args[m], least / args[m]);
    });
  }
  for (const [name, [arrays, work]] of Object.entries(rows)) {
    const whole = form(name);
    splits.set(name, (args) => {
      const row = args[arrays + 1] * args[arrays + 2];
      const steps = Array<number>(arrays).fill(FLOAT * row);
      pool.run(whole, args, steps, arrays, 1, work * row);
    });
  }
  return splits;
}
