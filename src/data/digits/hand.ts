import type { Draws } from './draws.ts';
import { SIDE } from './ink.ts';
import type { Point, Stroke } from './styles.ts';

/** A short straight piece of the line that the pen draws. Its radius changes from r0 at one end to r1 at the other. */
export interface Segment {
  readonly x0: number;
  readonly y0: number;
  readonly r0: number;
  readonly x1: number;
  readonly y1: number;
  readonly r1: number;
}

/** The points of a curve. */
type Curve = readonly Point[];

/** The number of segments between two points of a style: about one per pixel. */
const PIECES = 5;

/**
 * Writes a style with a random handwriting; the result is in pixels. The ranges were chosen so that the digits look like
 * MNIST's and are about as hard for networks.
 */
export function write(style: readonly Stroke[], draws: Draws): Segment[] {
  const slip = draws.between(0.02, 0.07);
  const roundness = draws.between(0.25, 0.6);
  const atCorners = draws.between(0, 0.6);
  const bend = bending(draws);
  const curves = style.map((stroke) => smooth(shaken(stroke, slip, draws), roundness, atCorners).map(bend));
  const radius = draws.between(0.75, 1.75);
  return inked(fitted(curves, radius, draws), radius, draws);
}

/** Moves each point at random; the first and the last one further than the others. */
function shaken(stroke: Stroke, slip: number, draws: Draws): Stroke {
  return stroke.map(({ x, y, corner }, i) => {
    const amount = i === 0 || i === stroke.length - 1 ? 1.6 * slip : slip;
    return { x: x + amount * draws.bell(), y: y + amount * draws.bell(), corner };
  });
}

/**
 * A curve through the points with the tangents of Catmull & Rom (1974), roundness · (next point − previous point); their
 * roundness is ½. At a corner the pen nearly stops: `atCorners` shortens the tangent there.
 */
function smooth(points: Stroke, roundness: number, atCorners: number): Curve {
  const tangents = points.map(({ corner }, i) => {
    const [before, after] = [points[Math.max(0, i - 1)], points[Math.min(points.length - 1, i + 1)]];
    const length = corner ? roundness * atCorners : roundness;
    return { x: length * (after.x - before.x), y: length * (after.y - before.y) };
  });
  const curve: Point[] = [points[0]];
  for (let i = 1; i < points.length; i++) {
    const [p, q, m, n] = [points[i - 1], points[i], tangents[i - 1], tangents[i]];
    for (let k = 1; k <= PIECES; k++) {
      const t = k / PIECES;
      curve.push({ x: hermite(p.x, q.x, m.x, n.x, t), y: hermite(p.y, q.y, m.y, n.y, t) });
    }
  }
  return curve;
}

/** The value at t, 0 … 1, of the cubic from p to q with the derivatives m at p and n at q. */
function hermite(p: number, q: number, m: number, n: number, t: number): number {
  return p + t * (m + t * (3 * (q - p) - 2 * m - n + t * (2 * (p - q) + m + n)));
}

/**
 * A random smooth map of the plane, the elastic distortion: it stretches, slants and rotates, and then bends by a
 * polynomial in each direction,
 *
 *     x ← x + Σ aᵢⱼ xⁱ yʲ,   y ← y + Σ bᵢⱼ xⁱ yʲ,   2 ≤ i + j ≤ 3
 */
function bending(draws: Draws): (p: Point) => Point {
  const width = draws.between(0.7, 1.2);
  const slant = 0.12 + 0.2 * draws.bell();
  const tangent = 0.07 * draws.bell(); // of half the angle: cosine and sine follow by arithmetic
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

/** Scales to pixels as in MNIST: the longer side, with the line's width, is about 20; the centre of mass about (14, 14). */
function fitted(curves: readonly Curve[], radius: number, draws: Draws): Curve[] {
  const [left, right] = ends(curves.flatMap((curve) => curve.map(({ x }) => x)));
  const [top, bottom] = ends(curves.flatMap((curve) => curve.map(({ y }) => y)));
  const scale = (draws.between(18.5, 20.5) - 2 * radius) / Math.max(right - left, bottom - top);
  const centre = centreOfMass(curves);
  /** The shift for a coordinate, limited so that the digit stays inside the image. */
  const shift = (middle: number, least: number, most: number) => {
    const wanted = 14 + 0.8 * draws.bell() - scale * middle;
    return Math.max(radius + 1 - scale * least, Math.min(SIDE - 2 - radius - scale * most, wanted));
  };
  const [dx, dy] = [shift(centre.x, left, right), shift(centre.y, top, bottom)];
  return curves.map((curve) => curve.map(({ x, y }) => ({ x: scale * x + dx, y: scale * y + dy })));
}

function ends(values: readonly number[]): [least: number, most: number] {
  return [Math.min(...values), Math.max(...values)];
}

/** The centre of mass of lines of constant width. */
function centreOfMass(curves: readonly Curve[]): Point {
  const sum = { length: 0, x: 0, y: 0 };
  for (const curve of curves) {
    for (let i = 1; i < curve.length; i++) {
      const [p, q] = [curve[i - 1], curve[i]];
      const length = distance(p, q);
      sum.length += length;
      sum.x += (length * (p.x + q.x)) / 2;
      sum.y += (length * (p.y + q.y)) / 2;
    }
  }
  return { x: sum.x / sum.length, y: sum.y / sum.length };
}

/** Gives the line its width: by the pressure along the stroke, and by a nib that is wider in one diagonal direction. */
function inked(curves: readonly Curve[], radius: number, draws: Draws): Segment[] {
  const nib = draws.between(-0.25, 0.25);
  return curves.flatMap((curve) => {
    const [begin, middle, end] = [0.12 * draws.bell(), 0.12 * draws.bell(), 0.15 * draws.bell()];
    const radii = curve.map((p, i) => {
      const t = i / (curve.length - 1);
      const q = curve[i === 0 ? 1 : i - 1];
      const length = distance(p, q) + 1e-9;
      const diagonal = (2 * (p.x - q.x) * (p.y - q.y)) / (length * length);
      const pressure = 1 + begin * (1 - t) + middle * 4 * t * (1 - t) + end * t + nib * diagonal;
      return radius * Math.max(0.45, pressure);
    });
    return curve.slice(1).map((q, i) => {
      const p = curve[i];
      return { x0: p.x, y0: p.y, r0: radii[i], x1: q.x, y1: q.y, r1: radii[i + 1] };
    });
  });
}

function distance(p: Point, q: Point): number {
  const [dx, dy] = [p.x - q.x, p.y - q.y];
  return Math.sqrt(dx * dx + dy * dy);
}
