/** Repaints a canvas when what it reads has changed, and continuously - at most 30 times a second - while live. */

const LIVE_FRAME_MS = 33;
const CALM_FRAME_MS = 1000;

/**
 * Call inside a component. `paint` runs in an animation frame whenever state it reads changes; while `isLive()` it
 * also runs on its own, once a second for readers who asked for reduced motion.
 */
export function paintFrames(paint: () => void, isLive: () => boolean): void {
  $effect(() => {
    paint(); // also tells which state matters
    if (!isLive()) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let last = performance.now();
    let frame = requestAnimationFrame(function next(now) {
      if (now - last >= (calm ? CALM_FRAME_MS : LIVE_FRAME_MS)) {
        last = now;
        paint();
      }
      frame = requestAnimationFrame(next);
    });
    return () => cancelAnimationFrame(frame);
  });
}
