/** Softmax cross-entropy with its gradient. */
import { parts as ceil, type WgslForm, type Workgroups } from './form.ts';
import { ROW_TOTAL } from './rows.ts';

/** Up to this many rows, one workgroup computes all, so that the loss needs no second launch. */
const ALONE = 64;
/** The most workgroups, whose sums one more launch adds up. */
const MOST = 256;

/** The rows of each workgroup, a multiple of 8, and the workgroups. */
export function rowsOf(m: number): { readonly rows: number; readonly groups: Workgroups } {
  const rows = m <= ALONE ? ALONE : 8 * ceil(ceil(m, MOST), 8);
  return { rows, groups: [ceil(m, rows), 1, 1] };
}

/**
 * loss = Σᵢ weights[i]·lossᵢ over the rows of a workgroup, and dlogits. 32 threads share a row, and a workgroup has 8
 * rows at a time.
 *
 * x − max is ≤ 0 or NaN; a shader may return a number for exp(NaN), so exp is called for numbers only. In the same way
 * the maximum is NaN-proof: a NaN in the row makes the sum NaN.
 */
export const softmaxCrossEntropy: WgslForm = {
  name: 'softmaxCrossEntropy',
  reads: ['logits', 'labels', 'weights'],
  writes: ['loss', 'dlogits'],
  sizes: ['m', 'K', 'rows'],
  numbers: ['smoothing'],
  code: `${ROW_TOTAL}
fn largest(value: f32, local: vec3<u32>) -> f32 {
  workgroupBarrier();
  shared_[local.y * 32u + local.x] = vec2(value, 0.0);
  workgroupBarrier();
  var most = shared_[local.y * 32u].x;
  for (var q = 1u; q < 32u; q++) {
    let other = shared_[local.y * 32u + q].x;
    if (other > most) { most = other; }
  }
  return most;
}
@compute @workgroup_size(32, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  var losses = 0.0;
  for (var block = 0u; block < u.rows; block += 8u) {
    let i = group.x * u.rows + block + local.y;
    let inside = i < u.m;
    let row = min(i, u.m - 1u) * u.K;
    let label = labels[min(i, u.m - 1u)];
    var most = logits[row + min(local.x, u.K - 1u)];
    for (var k = local.x; k < u.K; k += 32u) {
      if (logits[row + k] > most) { most = logits[row + k]; }
    }
    most = largest(most, local);
    var sum = vec2<f32>();
    for (var k = local.x; k < u.K; k += 32u) {
      let distance = most - logits[row + k];
      if (distance >= 0.0) { sum.x += exp(-distance); } else { sum.x += distance; }
      sum.y += distance;
    }
    let all = total(sum, local);
    let ignored = label < 0.0;
    if (inside) {
      for (var k = local.x; k < u.K; k += 32u) {
        let below = logits[row + k] - most;
        var p = below;
        if (below <= 0.0) { p = exp(below); }
        var aim = u.smoothing / f32(u.K);
        if (label == f32(k)) { aim += 1.0 - u.smoothing; }
        var d = weights[i] * (p / all.x - aim);
        if (ignored) { d = 0.0; }
        dlogits[row + k] = d;
      }
      if (local.x == 0u && !ignored) {
        var rest = all.x;
        if (all.x >= 1.0) { rest = log(all.x); }
        var l = most - logits[row + u32(label)] + rest;
        if (u.smoothing != 0.0) {
          l = (1.0 - u.smoothing) * l + u.smoothing * (all.y / f32(u.K) + rest);
        }
        losses += weights[i] * l;
      }
    }
  }
  workgroupBarrier();
  shared_[local.y * 32u + local.x] = vec2(losses, 0.0);
  workgroupBarrier();
  if (local.x == 0u && local.y == 0u) {
    var all = 0.0;
    for (var q = 0u; q < 8u; q++) { all += shared_[q * 32u].x; }
    loss[group.x] = all;
  }
}`,
};
