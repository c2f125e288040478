/**
 * How kernels on the columns of [m, C] are divided: by rows. Each thread sums runs of its rows, and the main thread adds the
 * sums of the runs in order, so that the bits stay the same (`kernels/simd/run-sums.ts`). The main thread computes the
 * coefficients of the columns, and the others copy them.
 *
 * Divided by columns, two threads take up to 1.4 times as long as one for batch normalization of [1024, 512]; by rows, about
 * 0.7 times (Node 24 on an AMD EPYC 9005). A processor fetches about a kilobyte ahead of what a thread reads. Where each row
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

/** Kernels that are divided by rows. The arguments are those of their exports. */
export type RowSplits = Readonly<Record<string, (args: readonly number[]) => void>>;

/** How many arrays such a kernel has, and its work per element. After the arrays, its arguments are m and C. */
export const onColumns: Readonly<Record<string, readonly [arrays: number, work: number]>> = {
  batchnormForward: [7, SUM + SCALE],
  batchnormInParts: [8, SUM + SCALE],
  batchnormTraining: [8, SUM + SCALE],
  batchnormInference: [8, SCALE],
  batchnormSums: [6, 2 * SUM],
  batchnormBackward: [8, 2 * SUM + COMBINE],
  denseDz: [4, PASS_BACK],
};

/** Whether [m, C] is divided by rows: it has several runs, but not more than there is room for. */
export const hasRuns = (m: number): boolean => m > RUN && m <= (DENSE_RUN * ROOM) / EIGHT;

/** The ways to divide kernels by rows. */
export function rowSplitsOf(pool: Pool, form: (name: string) => Form): RowSplits {
  const addressOf = (name: string): number => Number(form(name).run());
  const runs = addressOf('runSums');
  const source = addressOf('coefficientsOf');
  const beginForward = form('beginForward');
  const momentRuns = form('momentRuns');
  const endForward = form('endForward');
  const endStatistics = form('endStatistics');
  const scaleRows = form('scaleRows');
  const foldRunning = form('foldRunning');
  const beginBackward = form('beginBackward');
  const gradientRuns = form('gradientRuns');
  const endBackward = form('endBackward');
  const combineRows = form('combineRows');
  const addPairs = form('addPairs');
  const denseDzRows = form('denseDzRows');
  const sumDenseRuns = form('sumDenseRuns');

  /** Calls `fn` for blocks of columns: the first, and their number. */
  const inBlocks = (C: number, fn: (c: number, columns: number) => void) => {
    for (let c = 0; c < C; c += MOST_COLUMNS) fn(c, Math.min(MOST_COLUMNS, C - c));
  };

  /** Sums the runs of all rows of matrices, as many at a time as there is room for. */
  const sum = (part: Form, matrices: readonly number[], m: number, C: number, columns: number) => {
    const floats = 2 * GROUP * Math.ceil(columns / GROUP);
    const most = RUN * Math.floor(ROOM / floats);
    const steps = [(FLOAT * floats) / RUN, 0, ...matrices.map(() => FLOAT * C)];
    for (let i = 0; i < m; i += most) {
      const rows = Math.min(most, m - i);
      const args = [runs, source, ...matrices.map((x) => x + FLOAT * C * i), rows, C, columns];
      pool.run(part, args, steps, args.length - 3, RUN, SUM * matrices.length * columns);
      pool.alone(addPairs, runs, rows, 0, columns, Number(i === 0));
    }
  };

  /** Applies the coefficients to matrices. */
  const apply = (
    part: Form,
    matrices: readonly number[],
    m: number,
    C: number,
    columns: number,
    work: number,
  ) => {
    const args = [source, ...matrices, m, C, columns];
    pool.run(part, args, [0, ...matrices.map(() => FLOAT * C)], args.length - 3, WRITTEN, work * columns);
  };

  /** y, mean, variance and rstd. `constant` is 0, or that of `batchnormInParts`; `update` is called with the variance. */
  const forward = (
    [y, constant, mean, variance, rstd, x, gamma, beta]: readonly number[],
    m: number,
    C: number,
    eps: number,
    update?: (c: number, columns: number) => void,
  ) => {
    inBlocks(C, (c, columns) => {
      const [floats, doubles] = [FLOAT * c, DOUBLE * c];
      const meanAt = mean + doubles;
      const varianceAt = variance === 0 ? 0 : variance + doubles;
      const constantAt = constant === 0 ? 0 : constant + floats;
      const xAt = x + floats;
      const shifted = pool.alone(beginForward, meanAt, varianceAt, xAt, m, C, columns);
      sum(momentRuns, [xAt], m, C, columns);
      const statistics = [meanAt, varianceAt, rstd + doubles, xAt, gamma + floats, beta + floats];
      pool.alone(endForward, shifted, constantAt, ...statistics, m, C, columns, eps);
      update?.(c, columns);
      apply(scaleRows, [y + floats, xAt], m, C, columns, SCALE);
    });
  };

  /** dgamma, dbeta and, if gamma is not 0, dx. */
  const backward = (
    [dx, dgamma, dbeta, g, x, mean, rstd, gamma]: readonly number[],
    m: number,
    C: number,
  ) => {
    inBlocks(C, (c, columns) => {
      const [floats, doubles] = [FLOAT * c, DOUBLE * c];
      const [gAt, xAt, rstdAt] = [g + floats, x + floats, rstd + doubles];
      const gammaAt = gamma === 0 ? 0 : gamma + floats;
      pool.alone(beginBackward, mean + doubles, rstdAt, columns);
      sum(gradientRuns, [gAt, xAt], m, C, columns);
      pool.alone(endBackward, dgamma + floats, dbeta + floats, rstdAt, gammaAt, m, columns);
      if (gamma !== 0) apply(combineRows, [dx + floats, gAt, xAt], m, C, columns, COMBINE);
    });
  };

  return {
    batchnormForward: ([y, mean, variance, rstd, x, gamma, beta, m, C, eps]) => {
      forward([y, 0, mean, variance, rstd, x, gamma, beta], m, C, eps);
    },
    batchnormInParts: ([u, constant, mean, variance, rstd, x, gamma, beta, m, C, eps]) => {
      forward([u, constant, mean, variance, rstd, x, gamma, beta], m, C, eps);
    },
    batchnormTraining: (args) => {
      const [y, mean, rstd, x, gamma, beta, runningMean, runningVar, m, C, eps, alpha, correction] = args;
      forward([y, 0, mean, 0, rstd, x, gamma, beta], m, C, eps, (c, columns) => {
        const running = [runningMean + FLOAT * c, runningVar + FLOAT * c];
        pool.alone(endStatistics, ...running, mean + DOUBLE * c, columns, alpha, correction);
      });
    },
    batchnormInference: ([y, folded, rstd, x, gamma, beta, mean, variance, m, C, eps]) => {
      inBlocks(C, (c, columns) => {
        const [floats, doubles] = [FLOAT * c, DOUBLE * c];
        const constants = [gamma, beta, mean, variance].map((vector) => vector + floats);
        pool.alone(foldRunning, folded + doubles, rstd + doubles, ...constants, columns, eps);
        apply(scaleRows, [y + floats, x + floats], m, C, columns, SCALE);
      });
    },
    batchnormSums: ([dgamma, dbeta, g, x, mean, rstd, m, C]) => {
      backward([0, dgamma, dbeta, g, x, mean, rstd, 0], m, C);
    },
    batchnormBackward: ([dx, dgamma, dbeta, g, x, mean, rstd, gamma, m, C]) => {
      backward([dx, dgamma, dbeta, g, x, mean, rstd, gamma], m, C);
    },
    denseDz: ([dz, db, g, y, m, n, slope]) => {
      const count = Math.ceil(m / DENSE_RUN);
      const most = EIGHT * Math.floor(ROOM / count / EIGHT);
      const row = FLOAT * n;
      for (let j = 0; j < n; j += most) {
        const width = Math.min(most, n - j);
        const perRow = (FLOAT * EIGHT * Math.ceil(width / EIGHT)) / DENSE_RUN;
        const matrices = [dz, g, y].map((matrix) => matrix + FLOAT * j);
        const args = [runs, ...matrices, m, n, width, slope];
        pool.run(denseDzRows, args, [perRow, row, row, row], 4, DENSE_RUN, PASS_BACK * width);
        pool.alone(sumDenseRuns, db + FLOAT * j, runs, m, width);
      }
    },
  };
}
