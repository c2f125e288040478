import type { Draws } from './draws.ts';
import type { Point } from './styles.ts';

/**
 * A random smooth map of the plane, the elastic distortion: stretched, slanted and turned, and then bent by a
 * polynomial in each direction,
 *
 *     x ← x + Σ aᵢⱼ xⁱ yʲ,   y ← y + Σ bᵢⱼ xⁱ yʲ,   2 ≤ i + j ≤ 3
 */
export function bending(draws: Draws): (p: Point) => Point {
  const width = draws.between(0.7, 1.2);
  const slant = 0.12 + 0.2 * draws.bell();
  const tangent = 0.07 * draws.bell(); // of half the angle: it gives cosine and sine by arithmetic
  const norm = 1 + tangent * tangent;
  const [cos, sin] = [(2 - norm) / norm, (2 * tangent) / norm];
  const [a, b] = [coefficients(draws), coefficients(draws)];
  return (p) => {
    const slanted = width * p.x - slant * p.y;
    const [x, y] = [cos * slanted - sin * p.y, sin * slanted + cos * p.y];
    return { x: x + polynomial(a, x, y), y: y + polynomial(b, x, y) };
  };
}

function coefficients(draws: Draws): number[] {
  return Array.from({ length: 7 }, () => 0.07 * draws.bell());
}

function polynomial(c: readonly number[], x: number, y: number): number {
  const [xx, xy, yy] = [x * x, x * y, y * y];
  return c[0] * xx + c[1] * xy + c[2] * yy + c[3] * xx * x + c[4] * xx * y + c[5] * x * yy + c[6] * yy * y;
}
