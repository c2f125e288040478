/** Batch normalization, elementwise, and the gradients of a dense layer behind it. The sums are in `columns.ts`. */
import { parts as ceil, type WgslForm, type Workgroups } from './form.ts';

/** A thread computes elements of column c, in rows i. */
const perElement = (form: Omit<WgslForm, 'sizes'>): WgslForm => ({
  ...form,
  sizes: ['m', 'C'],
  code: `
@compute @workgroup_size(64, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let c = id.x;
  if (c >= u.C) { return; }
  for (var i = id.y; i < u.m; i += 4u * groups.y) {
    let at = i * u.C + c;
    ${form.code}
  }
}`,
});

/** The workgroups of the forms of this file on [m, C]. */
export const groupsOf = (m: number, C: number): Workgroups => [ceil(C, 64), Math.min(ceil(m, 4), 4096), 1];

/** y = gamma·xhat + beta with xhat = (x − mean)·rstd. */
export const normalizeScaleShift: WgslForm = perElement({
  name: 'normalize, scaleShift',
  reads: ['x', 'mean', 'rstd', 'gamma', 'beta'],
  writes: ['y'],
  code: 'y[at] = gamma[c] * ((x[at] - mean[c]) * rstd[c]) + beta[c];',
});

/** xhat = (x − mean)·rstd. */
export const normalize: WgslForm = perElement({
  name: 'normalize',
  reads: ['x', 'mean', 'rstd'],
  writes: ['xhat'],
  code: 'xhat[at] = (x[at] - mean[c]) * rstd[c];',
});

/** dx = gamma·rstd·(g − dbeta/m − xhat·dgamma/m). */
export const batchnormDx: WgslForm = perElement({
  name: 'batchnormDx',
  reads: ['g', 'x', 'mean', 'rstd', 'gamma', 'dgamma', 'dbeta'],
  writes: ['dx'],
  code: `let xhat = (x[at] - mean[c]) * rstd[c];
    let remaining = g[at] - dbeta[c] / f32(u.m) - xhat * dgamma[c] / f32(u.m);
    dx[at] = gamma[c] * rstd[c] * remaining;`,
});

/** y = scale·x + shift with rstd = 1/√(variance + ε), scale = gamma·rstd and shift = beta − scale·mean. */
export const batchnormInference: WgslForm = perElement({
  name: 'batchnormInference',
  reads: ['x', 'gamma', 'beta', 'mean', 'variance'],
  writes: ['y', 'scale', 'rstd'],
  numbers: ['eps'],
  code: `let r = 1.0 / sqrt(variance[c] + u.eps);
    let s = gamma[c] * r;
    y[at] = s * x[at] + (beta[c] - s * mean[c]);
    if (i == 0u) {
      scale[c] = s;
      rstd[c] = r;
    }`,
});

/** E ← (1−α)·E + α·mean, Var ← (1−α)·Var + α·correction·variance. */
export const runningStatistics: WgslForm = {
  name: 'runningStatistics',
  reads: ['mean', 'variance'],
  writes: ['runningMean', 'runningVar'],
  sizes: ['C'],
  numbers: ['alpha', 'keep', 'correction'],
  code: `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  if (c >= u.C) { return; }
  runningMean[c] = u.keep * runningMean[c] + u.alpha * mean[c];
  runningVar[c] = u.keep * runningVar[c] + u.alpha * (u.correction * variance[c]);
}`,
};

/**
 * From the product P = xhatᵀ·dz [k, n] and db = Σ dz [n]: dW = gamma·P + beta·db, dgamma = Σⱼ P·W, dbeta = Σⱼ db·W.
 * `../../simd/README.md` derives them. A workgroup computes rows c of W.
 */
export const batchnormDenseSums: WgslForm = {
  name: 'batchnormDenseSums',
  reads: ['P', 'db', 'gamma', 'beta', 'W'],
  writes: ['dgamma', 'dbeta', 'dW'],
  sizes: ['k', 'n'],
  code: `
var<workgroup> shared_: array<vec2<f32>, 64>;
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  for (var c = group.x; c < u.k; c += groups.x) {
    var sum = vec2<f32>();
    for (var j = t; j < u.n; j += 64u) {
      let at = c * u.n + j;
      sum += W[at] * vec2(P[at], db[j]);
      dW[at] = gamma[c] * P[at] + beta[c] * db[j];
    }
    shared_[t] = sum;
    workgroupBarrier();
    if (t == 0u) {
      var all = shared_[0];
      for (var q = 1u; q < 64u; q++) { all += shared_[q]; }
      dgamma[c] = all.x;
      dbeta[c] = all.y;
    }
    workgroupBarrier();
  }
}`,
};
