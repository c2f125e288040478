/**
 * How each kernel is divided among threads: by its outputs. So each number is computed by the same operations in the same
 * order, and the results have the same bits with any number of threads. The outputs may be parts of sums that all kernels
 * add in one order: the sums of runs of rows (`row-splits.ts`, `layernorm.ts`), and the first terms of a product, to which
 * a second thread adds the others (`terms.ts`). What decides between two ways to compute a kernel, such as the form of a
 * product, is decided once for all threads.
 *
 * The work of a unit is in picoseconds: the best time of a call on one thread, of Node 24 on an AMD EPYC (layer
 * normalization: Node 20 on a Xeon), with arrays that fit in L2 (16,384 elements, in [128, 128] where there are
 * columns), rounded. It only decides how many threads share a call, so a processor that is twice as fast needs no other
 * figures.
 */
import { type Form, type Pool, uneven } from './pool.ts';
import { hasRuns, onColumns, ROOM, rowSplitsOf } from './row-splits.ts';

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
 * are found again by each thread, which costs too much with many rows. Two threads divide the terms instead where they can:
 * see `isByTerms`.
 */
const isByColumns = (form: number, m: number, n: number): boolean =>
  form === SUMS || (n > m && (form === TILES || (form === SPARSE && m <= FEW)));

/**
 * Whether a batch of m rows is small compared with W [k, n]. Then two threads divide the terms of the product: they exchange
 * sums [m, n], which is less than the half of W that each would have to read from the other.
 */
const isSmallBatch = (m: number, k: number): boolean => 2 * m <= k;

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
  const sparsePart = uneven(productPart);
  /** In steps with small batches, each thread keeps its rows of W in its cache. */
  const stayingPart = pool.staying(productPart);
  const areFinite = form('areFinite');
  const stayingFinite = pool.staying(areFinite);
  const isSparse = form('isSparse');

  /** Whether all n floats at x are finite. */
  const finite = (x: number, n: number) => pool.all(stayingFinite, [x, n], [FLOAT], 1, LINE, 70);

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

  const beginTerms = form('beginTerms');
  const sparseTerms = pool.staying(form('sparseTerms'));
  const rowTerms = pool.staying(form('rowTerms'));
  /** Sums of the first of two threads. */
  const before = Number(form('runSums').run());
  /** Whether two threads divide the terms of a product with W [k, n]: see `terms.ts`. */
  const isByTerms = (m: number, k: number, n: number): boolean =>
    pool.count === 2 && isSmallBatch(m, k) && m * n <= ROOM && pool.divides(MULTIPLY_ADD * m * k * n);

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
    if (chosen === SUMS && m === 1 && ap === 1 && isByTerms(m, k, n)) {
      const byTerms = [0, a, b, y, before, pool.alone(beginTerms), k, n, k];
      pool.run(rowTerms, byTerms, [1, FLOAT, FLOAT * n], 6, ROWS, MULTIPLY_ADD * n);
    } else if (isByColumns(chosen, m, n)) {
      const steps = [0, FLOAT, 0, 0, 0, FLOAT * bj];
      pool.run(productPart, args, steps, 10, columnGrain(chosen), MULTIPLY_ADD * k * m);
    } else {
      const steps = [0, FLOAT * n, FLOAT * ai];
      const stays = isSmallBatch(k, m) && chosen >= TILES; // dW = xᵀ·dz, with k rows in the batch
      const part = stays ? stayingPart : chosen === SPARSE ? sparsePart : productPart;
      pool.run(part, args, steps, 8, rowGrain(chosen, m), MULTIPLY_ADD * k * n);
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
  const sparseDensePart = uneven(densePart);
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
    if (chosen === SPARSE && isByTerms(m, k, n)) {
      const byTerms = [0, x, W, b, y, before, pool.alone(beginTerms), m, k, n, k, slope];
      pool.run(sparseTerms, byTerms, [1, FLOAT, FLOAT * n], 8, ROWS, MULTIPLY_ADD * m * n);
    } else if (isByColumns(chosen, m, n)) {
      const steps = [0, FLOAT, 0, FLOAT, FLOAT];
      pool.run(densePart, args, steps, 7, columnGrain(chosen), MULTIPLY_ADD * k * m);
    } else {
      const steps = [0, FLOAT * n, FLOAT * k];
      const part = chosen === SPARSE ? sparseDensePart : densePart;
      pool.run(part, args, steps, 5, rowGrain(chosen, m), MULTIPLY_ADD * k * n);
    }
  };

  const byRows = rowSplitsOf(pool, form);
  /** A kernel on columns, divided by rows if there are enough of them. */
  const divideRows = (name: string): Split => {
    const whole = form(name);
    const { steps, work } = onColumns[name];
    return (args) => {
      const [m, C] = [args[steps.length], args[steps.length + 1]];
      if (hasRuns(m) && pool.divides(work * m * C)) byRows(name, args);
      else pool.alone(whole, ...args);
    };
  };

  const batchnormForward = divideRows('batchnormForward');
  const batchnormInParts = divideRows('batchnormInParts');
  const addBias = form('addBias');
  const batchnormDense: Split = (args) => {
    const [y, mean, variance, rstd, x, gamma, beta, W, b, scratch, m, k, n, eps, slope] = args;
    if (pool.alone(isSparse, x, k, 1, m, k, n) !== 0) {
      const constant = scratch + FLOAT * m * k;
      const bias = constant + FLOAT * k;
      batchnormInParts([scratch, constant, mean, variance, rstd, x, gamma, beta, m, k, eps]);
      const chosen = pool.alone(productForm, constant, k, 1, 1, 1, k, n);
      productIn(chosen, bias, constant, k, 1, W, n, 1, 1, k, n);
      if (pool.alone(areFinite, bias, n) !== 0) {
        pool.alone(addBias, bias, bias, b, 1, n);
        denseIn(SPARSE, y, scratch, W, bias, m, k, n, slope);
        return;
      }
    }
    batchnormForward([scratch, mean, variance, rstd, x, gamma, beta, m, k, eps]);
    denseIn(formOf(scratch, k, 1, W, 1, m, k, n), y, scratch, W, b, m, k, n, slope);
  };

  const splitMeans = form('splitMeans');
  const subtractRows = form('subtractRows');
  const colSum = form('colSum');
  const batchnormDenseRows = form('batchnormDenseRows');
  const sparseRows = uneven(batchnormDenseRows);
  const stayingRows = pool.staying(batchnormDenseRows);
  const batchnormDenseSums: Split = (args) => {
    const [dgamma, dbeta, dW, dz, x, mean, rstd, gamma, beta, W, u, m, k, n] = args;
    const shift = u + FLOAT * m * k;
    const rest = shift + FLOAT * k;
    const sums = rest + FLOAT * k;
    const sparse = pool.alone(isSparse, x, 1, k, k, m, n) !== 0 && finite(dz, m * n);
    pool.alone(splitMeans, shift, rest, mean, rstd, k, Number(sparse));
    pool.run(subtractRows, [u, x, shift, m, k], [FLOAT * k, FLOAT * k], 3, ROWS, 200 * k);
    pool.alone(colSum, sums, dz, m, n);
    const inBlocks = !sparse && m <= FEW;
    const chosen = sparse ? SPARSE : inBlocks ? IN_BLOCKS : formOf(u, 1, k, dz, 1, k, m, n);
    pool.run(
      isSmallBatch(m, k) ? stayingRows : sparse ? sparseRows : batchnormDenseRows,
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
    const whole = name in updates ? pool.staying(form(name)) : form(name);
    splits.set(name, (args) => {
      pool.run(whole, args, steps, arrays, LINE, work, least);
    });
  };
  for (const [name, [arrays, work]] of Object.entries(elementwise)) {
    divideElements(name, arrays, work, work > LITTLE ? 0 : FETCHED);
  }
  for (const [name, [arrays, work]] of Object.entries(updates)) divideElements(name, arrays, work, 0);
  const parts = 'batchnormInParts'; // a part of `batchnormDense`
  for (const name of Object.keys(onColumns)) if (name !== parts) splits.set(name, divideRows(name));
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
