/** Events as marks on a bar: what is too close to tell apart becomes one mark with a count. */

export type Weight = 'plain' | 'warning' | 'error';

export interface EventDots {
  /** When, in order; in the coordinates of spans. */
  readonly times: readonly number[];
  readonly weights: readonly Weight[];
}

export interface Cluster {
  readonly x: number;
  readonly count: number;
  /** The gravest of them. */
  readonly weight: Weight;
}

/** Dots nearer than this are one. */
export const CLUSTER_PX = 6;
/** A mark with a count is this wide, and takes in what it would cover. */
export const COUNTED_PX = 28;
const GRAVITY: readonly Weight[] = ['plain', 'warning', 'error'];

export function weightOf(kind: string, severity: string | null | undefined): Weight {
  if (kind === 'exception' || severity === 'error' || severity === 'fatal') return 'error';
  return severity === 'warn' || severity === 'warning' ? 'warning' : 'plain';
}

/** The marks of a bar from left to right. toX need not be linear, but never goes back. */
export function clusters(dots: EventDots, toX: (time: number) => number, width: number): Cluster[] {
  const found: { x: number; first: number; count: number; weight: Weight }[] = [];
  for (let i = 0; i < dots.times.length; i++) {
    const x = toX(dots.times[i]);
    if (x < -COUNTED_PX || x > width + COUNTED_PX) continue;
    const last = found.at(-1);
    if (last && x - last.first < (last.count > 1 ? COUNTED_PX : CLUSTER_PX)) {
      last.count++;
      last.weight = graver(last.weight, dots.weights[i]);
    } else found.push({ x, first: x, count: 1, weight: dots.weights[i] });
  }
  return found;
}

function graver(a: Weight, b: Weight): Weight {
  return GRAVITY.indexOf(a) >= GRAVITY.indexOf(b) ? a : b;
}

/** The events of a run as dots by span; the same whether they were loaded or arrived live, and however often. */
export class DotStore {
  private readonly known = new Set<string>();
  private readonly bySpan = new Map<string | null, { times: number[]; weights: Weight[]; sorted: boolean }>();

  /** Answers whether the event was new. time: nanoseconds in the coordinates of spans. */
  put(spanId: string | null, time: number, kind: string, severity: string | null | undefined): boolean {
    const key = `${spanId} ${time} ${kind} ${severity ?? ''}`;
    if (this.known.has(key)) return false;
    this.known.add(key);
    let dots = this.bySpan.get(spanId);
    if (!dots) this.bySpan.set(spanId, (dots = { times: [], weights: [], sorted: true }));
    dots.sorted &&= dots.times.length === 0 || time >= dots.times[dots.times.length - 1];
    dots.times.push(time);
    dots.weights.push(weightOf(kind, severity));
    return true;
  }

  of(spanId: string | null): EventDots | null {
    const dots = this.bySpan.get(spanId);
    if (dots && !dots.sorted) {
      const order = dots.times.map((_, i) => i).sort((a, b) => dots.times[a] - dots.times[b]);
      [dots.times, dots.weights, dots.sorted] = [order.map((i) => dots.times[i]), order.map((i) => dots.weights[i]), true];
    }
    return dots ?? null;
  }
}
