/**
 * Layer normalization of the rows of [m, C]: forward in one launch, dx in one. dgamma and dbeta are sums over columns,
 * in `columns.ts`. A row is one of the G groups of an example, and γ and β have one row per group.
 */
import { MOST_GROUPS, parts as ceil, type WgslForm, type Workgroups } from './form.ts';
import { ROW_TOTAL, ROWS } from './rows.ts';

/** The workgroups of the forms of this file. */
export const groupsOf = (m: number): Workgroups => [Math.min(ceil(m, ROWS), MOST_GROUPS), 1, 1];

/**
 * A form that computes rows i. Its threads loop over the elements at `first`, `first + 32`, … up to `past`; threads
 * beyond the last row have none. γ of element `at` is at `at - toGamma`.
 */
const perRow = (form: Omit<WgslForm, 'sizes'>): WgslForm => ({
  ...form,
  sizes: ['m', 'C', 'G'],
  code: `${ROW_TOTAL}
@compute @workgroup_size(32, ${ROWS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  for (var block = ${ROWS}u * group.x; block < u.m; block += ${ROWS}u * groups.x) {
    let inside = block + local.y < u.m;
    let i = min(block + local.y, u.m - 1u);
    let row = i * u.C;
    let toGamma = row - (i % u.G) * u.C;
    let first = row + local.x;
    let past = select(0u, row + u.C, inside);
    ${form.code}
  }
}`,
});

/**
 * mean, rstd = 1/√(variance + ε) and y = gamma·xhat + beta with xhat = (x − mean)·rstd. As in `columns.ts`, the mean is
 * that of the differences from the first value, and Σ (x − mean)² is corrected for the rounding of the mean.
 */
export const layernormForward: WgslForm = perRow({
  name: 'layernormForward',
  reads: ['x', 'gamma', 'beta'],
  writes: ['y', 'mean', 'rstd'],
  numbers: ['eps'],
  code: `let origin = x[row];
    var sum = vec2<f32>();
    for (var at = first; at < past; at += 32u) { sum.x += x[at] - origin; }
    let mu = origin + total(sum, local).x / f32(u.C);
    sum = vec2<f32>();
    for (var at = first; at < past; at += 32u) {
      let d = x[at] - mu;
      sum += vec2(d * d, d);
    }
    let all = total(sum, local);
    let excess = all.y * all.y / f32(u.C);
    let squares = select(all.x, all.x - excess, excess < all.x);
    let r = 1.0 / sqrt(squares / f32(u.C) + u.eps);
    for (var at = first; at < past; at += 32u) {
      y[at] = gamma[at - toGamma] * ((x[at] - mu) * r) + beta[at - toGamma];
    }
    if (inside && local.x == 0u) {
      mean[i] = mu;
      rstd[i] = r;
    }`,
});

/** dx = rstd·(g·gamma − sum/C − xhat·dot/C) with sum = Σ_c g·gamma and dot = Σ_c g·gamma·xhat. */
export const layernormDx: WgslForm = perRow({
  name: 'layernormDx',
  reads: ['g', 'x', 'mean', 'rstd', 'gamma'],
  writes: ['dx'],
  code: `var sum = vec2<f32>();
    for (var at = first; at < past; at += 32u) {
      let d = g[at] * gamma[at - toGamma];
      sum += vec2(d, d * ((x[at] - mean[i]) * rstd[i]));
    }
    let all = total(sum, local) / f32(u.C);
    for (var at = first; at < past; at += 32u) {
      let xhat = (x[at] - mean[i]) * rstd[i];
      dx[at] = rstd[i] * (g[at] * gamma[at - toGamma] - all.x - xhat * all.y);
    }`,
});
