import type { Draws } from './draws.ts';
import type { Segment } from './hand.ts';

/** An image has SIDE × SIDE pixels; the centre of the first one is at (0, 0). */
export const SIDE = 28;

/** The largest half-width of a line's blurred edge, in pixels. */
const MOST_BLUR = 1;

/**
 * Draws the segments into an image of zeros. The value of a pixel depends on its depth in the ink: 0 outside, full ink
 * inside, and on the edge of the line a smooth step with a small random shift.
 */
export function draw(image: Uint8Array, segments: readonly Segment[], draws: Draws): void {
  const depth = new Float64Array(image.length).fill(-MOST_BLUR);
  for (const segment of segments) deepen(depth, segment);
  const blur = draws.between(0.5, MOST_BLUR);
  const ink = draws.between(240, 330); // more than 255, since thin lines are never fully inked
  const rough = draws.between(0, 0.35);
  for (let i = 0; i < image.length; i++) {
    if (depth[i] <= -blur) continue;
    const t = (depth[i] - rough * draws.uniform() + blur) / (2 * blur);
    image[i] = Math.min(255, Math.round(ink * smoothStep(Math.max(0, Math.min(1, t)))));
  }
}

/** depth ← max(depth, radius of the line − distance to its axis), for the pixels near the segment only. */
function deepen(depth: Float64Array, { x0, y0, r0, x1, y1, r1 }: Segment): void {
  const reach = Math.max(r0, r1) + MOST_BLUR;
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach));
  const right = Math.min(SIDE - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach));
  const bottom = Math.min(SIDE - 1, Math.floor(Math.max(y0, y1) + reach));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const squaredLength = dx * dx + dy * dy + 1e-9; // not 0 for a segment that is a point
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      // t = 0 … 1: the position on the segment that is nearest to the pixel.
      const t = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / squaredLength));
      const ex = x - x0 - t * dx;
      const ey = y - y0 - t * dy;
      const inside = r0 + t * (r1 - r0) - Math.sqrt(ex * ex + ey * ey);
      if (inside > depth[y * SIDE + x]) depth[y * SIDE + x] = inside;
    }
  }
}

/** 3t² − 2t³. */
function smoothStep(t: number): number {
  return t * t * (3 - 2 * t);
}
