/** A curve with a fixed largest number of points. When it is full, neighbours are averaged, so its memory stays the same. */
const MOST = 800;

export class Curve {
  readonly x: number[] = [];
  readonly y: number[] = [];
  /** The number of values in one point. */
  #each: number;
  #sum = 0;
  #count = 0;

  /** @param each The number of values that the first points are the mean of. */
  constructor(each = 1) {
    this.#each = each;
  }

  add(x: number, y: number): void {
    this.#sum += y;
    this.#count++;
    if (this.#count < this.#each) return;
    this.x.push(x);
    this.y.push(this.#sum / this.#count);
    [this.#sum, this.#count] = [0, 0];
    if (this.x.length < MOST) return;
    for (let i = 0; i < MOST / 2; i++) {
      this.x[i] = this.x[2 * i + 1];
      this.y[i] = (this.y[2 * i] + this.y[2 * i + 1]) / 2;
    }
    this.x.length = this.y.length = MOST / 2;
    this.#each *= 2;
  }
}
