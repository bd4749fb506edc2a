import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeAxis } from './axis';
import { niceStep, tickLabel, ticks } from './ticks';
import { clampViewport, fitTo, isWhole, panBy, SHORTEST_NS, toTime, toX, zoomAt, type Viewport } from './viewport';

const limits: Viewport = { start: 0, end: 1e12 };
const time = fc.double({ min: 0, max: 1e12, noNaN: true });
const views = fc.tuple(time, time).map(([a, b]) => clampViewport({ start: Math.min(a, b), end: Math.max(a, b) }, limits));
function close(a: number, b: number, scale: number): void {
  expect(Math.abs(a - b)).toBeLessThanOrEqual(Math.max(scale * 1e-6, 1e-2));
}

describe('viewport', () => {
  it('stays within the limits whatever is done to it', () => {
    const moves = fc.array(
      fc.tuple(fc.constantFrom('zoom', 'pan', 'fit'), fc.double({ min: 0.01, max: 100, noNaN: true }), time),
    );
    fc.assert(
      fc.property(moves, (steps) => {
        let view = limits;
        for (const [what, factor, at] of steps) {
          if (what === 'zoom') view = zoomAt(view, factor, at, limits);
          else if (what === 'pan') view = panBy(view, at - 5e11, limits);
          else view = fitTo(at, at + factor, limits);
          expect(view.start).toBeGreaterThanOrEqual(0);
          expect(view.end).toBeLessThanOrEqual(1e12 * (1 + 1e-12));
          expect(view.end - view.start).toBeGreaterThan(SHORTEST_NS * 0.9);
        }
      }),
    );
  });

  it('keeps the time under the pointer while zooming in', () => {
    fc.assert(
      fc.property(views, fc.double({ min: 0, max: 1, noNaN: true }), (view, where) => {
        const at = view.start + where * (view.end - view.start);
        const zoomed = zoomAt(view, 0.5, at, limits);
        close(toX(zoomed, 1000, at), where * 1000, 1000);
      }),
    );
  });

  it('maps times to pixels and back', () => {
    fc.assert(fc.property(views, time, (view, t) => close(toTime(view, 800, toX(view, 800, t)), t, 1e12)));
  });

  it('knows when everything is on screen', () => {
    expect(isWhole(limits, limits)).toBe(true);
    expect(isWhole(zoomAt(limits, 0.5, 0, limits), limits)).toBe(false);
  });
});

describe('ruler', () => {
  it('puts marks on round times, far enough apart', () => {
    fc.assert(
      fc.property(views, (view) => {
        const marks = ticks(makeAxis(view, 1000), 0);
        for (let i = 1; i < marks.length; i++) {
          expect(toX(view, 1000, marks[i].time) - toX(view, 1000, marks[i - 1].time)).toBeGreaterThan(95);
        }
      }),
    );
  });

  it('labels marks differently', () => {
    fc.assert(
      fc.property(views, (view) => {
        const labels = ticks(makeAxis(view, 1000), 0).map((tick) => tick.label);
        expect(new Set(labels).size).toBe(labels.length);
      }),
    );
  });

  it.each([
    [0, 1e9, '0'],
    [1.5e9, 5e8, '1.5 s'],
    [250e6, 50e6, '250 ms'],
    [2e3, 1e3, '2 µs'],
    [125e9, 5e9, '2:05'],
    [3720e9, 60e9, '1:02:00'],
  ])('%d ns at a step of %d ns reads %s', (ns, step, label) => expect(tickLabel(ns, step)).toBe(label));

  it('uses steps people count in', () => {
    expect([niceStep(3e6), niceStep(4e9), niceStep(11e9), niceStep(3000e9)]).toEqual([5e6, 5e9, 15e9, 3600e9]);
  });
});
