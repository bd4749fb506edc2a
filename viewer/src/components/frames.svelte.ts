/** Work in time with the screen: canvases that repaint when what they read has changed, or while live by themselves. */

import type { Axis } from '../core/axis';

const LIVE_FRAME_MS = 33;
const CALM_FRAME_MS = 1000;

/**
 * Call inside a component. `paint` runs in an animation frame whenever state it reads changes, and answers after how
 * many milliseconds the passing of time alone would show; while `isLive()` it runs again then, at most 30 times a
 * second, and once a second for readers who asked for reduced motion.
 */
export function paintFrames(paint: () => number, isLive: () => boolean): void {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  $effect(() => {
    let wait = paint(); // also tells which state matters
    if (!isLive()) return;
    let [frame, timer] = [0, 0];
    const plan = () => {
      const least = calm ? CALM_FRAME_MS : LIVE_FRAME_MS;
      timer = window.setTimeout(() => (frame = requestAnimationFrame(next)), Math.min(Math.max(wait, least), CALM_FRAME_MS) - 8);
    };
    const next = () => {
      wait = paint();
      plan();
    };
    plan();
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  });
}

/** How long the present takes to move by half a pixel at the axis's end, milliseconds. */
export function msOfHalfPixel(axis: Axis): number {
  return axis.width < 1 ? CALM_FRAME_MS : (axis.toTime(axis.width) - axis.toTime(axis.width - 1)) / 2e6;
}

/** Does work once what is there now is on screen. Answers how to call it off. */
export function afterPaint(work: () => void): () => void {
  let timer = 0;
  const frame = requestAnimationFrame(() => (timer = window.setTimeout(work)));
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}
