import type { DType } from './device/device.ts';

/**
 * The least positive normal number of each element type, as `numpy.finfo(dtype).tiny`. Smaller numbers lose digits or
 * become 0: with a smaller ε, 0/(√0 + ε) can be NaN.
 */
export const tiny: Readonly<Record<DType, number>> = { float32: 2 ** -126, float64: 2 ** -1022 };
