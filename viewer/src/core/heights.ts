/** Heights of the rows of a long list: measured where rows have been on screen, guessed elsewhere. */

export class Heights {
  private readonly known: Float64Array;
  /** Sums of heights, as a Fenwick tree: changing one and finding a place both take the logarithm of the length. */
  private readonly sums: Float64Array;

  constructor(
    readonly count: number,
    heightOf: (i: number) => number,
  ) {
    this.known = Float64Array.from({ length: count }, (_, i) => heightOf(i));
    this.sums = new Float64Array(count + 1);
    for (let i = 1; i <= count; i++) {
      this.sums[i] += this.known[i - 1];
      const above = i + (i & -i);
      if (above <= count) this.sums[above] += this.sums[i];
    }
  }

  get total(): number {
    return this.offset(this.count);
  }

  set(i: number, height: number): void {
    const change = height - this.known[i];
    this.known[i] = height;
    for (let at = i + 1; at <= this.count; at += at & -at) this.sums[at] += change;
  }

  /** Where row i begins. */
  offset(i: number): number {
    let sum = 0;
    for (let at = i; at > 0; at -= at & -at) sum += this.sums[at];
    return sum;
  }

  /** The row at a place; the last one beyond the end. */
  at(y: number): number {
    let row = 0;
    let left = y;
    for (let step = 1 << Math.floor(Math.log2(Math.max(this.count, 1))); step > 0; step >>= 1) {
      if (row + step <= this.count && this.sums[row + step] <= left) {
        row += step;
        left -= this.sums[row];
      }
    }
    return Math.min(row, Math.max(this.count - 1, 0));
  }
}
