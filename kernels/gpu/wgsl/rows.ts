/** What kernels with sums over rows share: 32 threads share a row, and a workgroup has 8 rows at a time. */

/** The rows of a workgroup at a time. */
export const ROWS = 8;

/** `total` sums a vector over the 32 threads of a row. */
export const ROW_TOTAL = `
var<workgroup> shared_: array<vec2<f32>, 256>;
fn total(value: vec2<f32>, local: vec3<u32>) -> vec2<f32> {
  workgroupBarrier();
  shared_[local.y * 32u + local.x] = value;
  workgroupBarrier();
  var sum = shared_[local.y * 32u];
  for (var q = 1u; q < 32u; q++) { sum += shared_[local.y * 32u + q]; }
  return sum;
}`;
