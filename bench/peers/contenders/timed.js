/**
 * The total seconds of some iterations of a task. Only promises are awaited: awaiting other values costs a fraction of a
 * microsecond, and Python has no such cost.
 */
export async function timed({ iterate, settle }, iterations) {
  const start = performance.now();
  for (let i = 0; i < iterations; i++) {
    const done = iterate();
    if (done instanceof Promise) await done;
  }
  await settle();
  return (performance.now() - start) / 1000;
}
