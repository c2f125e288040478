/** The two ways by which a tensor's memory is copied. */
import * as kernels from '../../kernels/update.ts';
import { tensor } from './create.ts';
import { run, runInPlace } from './op.ts';
import type { Tensor } from './tensor.ts';

/** The same values in memory of their own. */
export function copy(x: Tensor): Tensor {
  return run(kernels.assign, [x, x]);
}

/** Overwrites a tensor in place, so that whoever holds it sees the new values. Shapes must be equal. */
export function assign(target: Tensor, source: Tensor): void {
  const { shape, dtype, home } = target;
  const atHome = source.dtype === dtype && source.home === home;
  runInPlace(kernels.assign, [
    target,
    atHome ? source : tensor(source.dataSync(), { shape, dtype, device: home }),
  ]);
}
