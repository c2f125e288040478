/**
 * How kernels on the columns of [m, C] are divided: by rows. Each thread sums runs of its rows, and the main thread adds the
 * sums of the runs in order, so that the bits stay the same (`kernels/simd/run-sums.ts`). The main thread computes the
 * coefficients of the columns, and the others copy them.
 *
 * Divided by columns, two threads take up to 1.4 times as long as one for batch normalization of [1024, 512]; by rows, about
 * 0.8 times (Node 24 on an AMD EPYC 9005). A processor fetches about a kilobyte ahead of what a thread reads. Where each row
 * has columns of both threads, it would fetch what the other one writes.
 */
import type { Form, Pool } from './pool.ts';

const FLOAT = 4;
const DOUBLE = 8;
/** Columns that are processed together: see `batchnorm-moments.ts`. */
const MOST_COLUMNS = 1024;
/** Floats for sums of runs: see `run-sums.ts`. */
export const ROOM: number = 2 ** 17;
/** Rows of a run in `batchnorm-moments.ts` and in `dense.ts`, and the grain of the columns of its sums. */
const RUN = 32;
const GROUP = 16;
const DENSE_RUN = 16;
const EIGHT = 8;
/** Rows that are written together: see `batchnorm.ts`. */
const WRITTEN = 4;

/** The work of an element, in picoseconds, as in `splits.ts`. */
const SUM = 100;
const SCALE = 150;
const COMBINE = 250;
const PASS_BACK = 400;

/** The rows, their length, and the number of columns that are processed together. */
type Size = readonly [m: number, C: number, columns: number];

/** A kernel in steps that divide the rows. */
type RowSplit = (arrays: readonly number[], size: Size, ...params: number[]) => void;

/** Divides a call of a kernel by rows. The arguments are those of its export. */
export type RowSplits = (name: string, args: readonly number[]) => void;

/** How far each array of such a kernel moves per column, and its work per element. The arrays come first, then m and C. */
export const onColumns: Readonly<
  Record<string, { readonly steps: readonly number[]; readonly work: number }>
> = {
  batchnormForward: { steps: [FLOAT, DOUBLE, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT], work: SUM + SCALE },
  batchnormInParts: { steps: [FLOAT, FLOAT, DOUBLE, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT], work: SUM + SCALE },
  batchnormTraining: { steps: [FLOAT, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT], work: SUM + SCALE },
  batchnormInference: { steps: [FLOAT, DOUBLE, DOUBLE, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT], work: SCALE },
  batchnormSums: { steps: [FLOAT, FLOAT, FLOAT, FLOAT, DOUBLE, DOUBLE], work: 2 * SUM },
  batchnormBackward: {
    steps: [FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, DOUBLE, DOUBLE, FLOAT],
    work: 2 * SUM + COMBINE,
  },
  denseDz: { steps: [FLOAT, FLOAT, FLOAT, FLOAT], work: PASS_BACK },
};

/** Whether [m, C] is divided by rows: it has several runs, but not more than there is room for. */
export const hasRuns = (m: number): boolean => m > RUN && m <= (DENSE_RUN * ROOM) / EIGHT;

/** The ways to divide kernels by rows. */
export function rowSplitsOf(pool: Pool, form: (name: string) => Form): RowSplits {
  const alone = (name: string, ...args: readonly number[]): number => pool.alone(form(name), ...args);
  const runs = alone('runSums');
  const source = alone('coefficientsOf');
  const batchVariance = alone('varianceOfBatch');

  /** Calls a form with m rows of matrices [m, C], divided into multiples of `grain` rows. */
  const run = (
    name: string,
    fixed: readonly (readonly [address: number, step: number])[],
    matrices: readonly number[],
    [m, C, columns]: Size,
    grain: number,
    work: number,
  ) => {
    const args = [...fixed.map(([address]) => address), ...matrices, m, C, columns];
    const steps = [...fixed.map(([, step]) => step), ...matrices.map(() => FLOAT * C)];
    pool.run(form(name), args, steps, args.length - 3, grain, work * columns);
  };

  /** Sums the runs of all rows of matrices, as many at a time as there is room for. */
  const sum = (name: string, matrices: readonly number[], [m, C, columns]: Size) => {
    const floats = 2 * GROUP * Math.ceil(columns / GROUP);
    const most = RUN * Math.floor(ROOM / floats);
    for (let i = 0; i < m; i += most) {
      const rows = Math.min(most, m - i);
      const places = matrices.map((x) => x + FLOAT * C * i);
      const fixed = [[runs, (FLOAT * floats) / RUN] as const, [source, 0] as const];
      run(name, fixed, places, [rows, C, columns], RUN, SUM * matrices.length);
      alone('addPairs', runs, rows, 0, columns, Number(i === 0));
    }
  };

  /** Applies the coefficients to matrices. */
  const apply = (name: string, matrices: readonly number[], size: Size, work: number) => {
    run(name, [[source, 0]], matrices, size, WRITTEN, work);
  };

  /** y, mean, variance and rstd. `constant` is 0, or that of `batchnormInParts`; `update` comes after the statistics. */
  const forward = (
    [y, constant, mean, variance, rstd, x, gamma, beta]: readonly number[],
    size: Size,
    eps: number,
    update?: () => void,
  ) => {
    const shifted = alone('beginMoments', mean, variance, x, ...size);
    sum('momentRuns', [x], size);
    alone('endForward', shifted, constant, mean, variance, rstd, x, gamma, beta, ...size, eps);
    update?.();
    apply('scaleRows', [y, x], size, SCALE);
  };

  /** dgamma, dbeta and, if gamma is not 0, dx. */
  const backward = ([dx, dgamma, dbeta, g, x, mean, rstd, gamma]: readonly number[], size: Size) => {
    const [m, , columns] = size;
    alone('splitMean', mean, rstd, columns);
    sum('gradientRuns', [g, x], size);
    alone('endBackward', dgamma, dbeta, rstd, gamma, m, columns);
    if (gamma !== 0) apply('combineRows', [dx, g, x], size, COMBINE);
  };

  const splits: Readonly<Record<string, RowSplit>> = {
    batchnormForward: ([y, ...statistics], size, eps) => {
      forward([y, 0, ...statistics], size, eps);
    },
    batchnormInParts: (arrays, size, eps) => {
      forward(arrays, size, eps);
    },
    batchnormTraining: ([y, mean, rstd, x, gamma, beta, ...running], size, eps, alpha, correction) => {
      forward([y, 0, mean, batchVariance, rstd, x, gamma, beta], size, eps, () => {
        alone('runningStatistics', ...running, mean, batchVariance, size[2], alpha, correction);
      });
    },
    batchnormInference: ([y, folded, rstd, x, ...constants], size, eps) => {
      alone('foldRunning', folded, rstd, ...constants, size[2], eps);
      apply('scaleRows', [y, x], size, SCALE);
    },
    batchnormSums: (arrays, size) => {
      backward([0, ...arrays, 0], size);
    },
    batchnormBackward: backward,
  };

  const denseDz = ([dz, db, g, y]: readonly number[], m: number, n: number, slope: number) => {
    const most = EIGHT * Math.floor(ROOM / Math.ceil(m / DENSE_RUN) / EIGHT);
    const row = FLOAT * n;
    for (let j = 0; j < n; j += most) {
      const width = Math.min(most, n - j);
      const perRow = (FLOAT * EIGHT * Math.ceil(width / EIGHT)) / DENSE_RUN;
      const matrices = [dz, g, y].map((matrix) => matrix + FLOAT * j);
      const args = [runs, ...matrices, m, n, width, slope];
      pool.run(form('denseDzRows'), args, [perRow, row, row, row], 4, DENSE_RUN, PASS_BACK * width);
      alone('sumDenseRuns', db + FLOAT * j, runs, m, width);
    }
  };

  return (name, args) => {
    const { steps } = onColumns[name];
    const arrays = args.slice(0, steps.length);
    const [m, C, ...params] = args.slice(steps.length);
    if (name === 'denseDz') denseDz(arrays, m, C, params[0]);
    else
      for (let c = 0; c < C; c += MOST_COLUMNS) {
        const places = arrays.map((array, k) => array + c * steps[k]);
        splits[name](places, [m, C, Math.min(MOST_COLUMNS, C - c)], ...params);
      }
  };
}
