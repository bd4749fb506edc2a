/** The window of time on screen, in nanoseconds, and the arithmetic of moving it. */

export interface Viewport {
  readonly start: number;
  readonly end: number;
}

/** One microsecond: below it, doubles and screens have nothing more to show. */
export const SHORTEST_NS = 1_000;

/** Brings a window inside the limits, keeping its length where that fits. */
export function clampViewport(view: Viewport, limits: Viewport): Viewport {
  const whole = Math.max(limits.end - limits.start, SHORTEST_NS);
  const length = Math.min(Math.max(view.end - view.start, SHORTEST_NS), whole);
  const start = Math.min(Math.max(view.start, limits.start), limits.start + whole - length);
  return { start, end: start + length };
}

/** Zooms so that the time under the pointer stays under the pointer. factor < 1 shows less, > 1 shows more. */
export function zoomAt(view: Viewport, factor: number, at: number, limits: Viewport): Viewport {
  const whole = Math.max(limits.end - limits.start, SHORTEST_NS);
  const before = view.end - view.start;
  const length = Math.min(Math.max(before * factor, SHORTEST_NS), whole);
  const start = at - ((at - view.start) * length) / before;
  return clampViewport({ start, end: start + length }, limits);
}

export function panBy(view: Viewport, delta: number, limits: Viewport): Viewport {
  return clampViewport({ start: view.start + delta, end: view.end + delta }, limits);
}

/** A window that shows [start, end] with a margin of a twentieth on both sides. */
export function fitTo(start: number, end: number, limits: Viewport): Viewport {
  const margin = Math.max((end - start) * 0.05, SHORTEST_NS / 2);
  return clampViewport({ start: start - margin, end: end + margin }, limits);
}

export function toX(view: Viewport, width: number, time: number): number {
  return ((time - view.start) / (view.end - view.start)) * width;
}

export function toTime(view: Viewport, width: number, x: number): number {
  return view.start + (x / width) * (view.end - view.start);
}

/** True when the window shows everything there is, so that it should follow a run that grows. */
export function isWhole(view: Viewport, limits: Viewport): boolean {
  return view.start <= limits.start && view.end >= limits.end;
}
