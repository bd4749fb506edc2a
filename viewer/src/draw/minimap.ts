/** Paints the whole run: time at work stacked by kind, errors by density, search matches, the window. */

import { breaksOf, type Axis } from '../core/axis';
import type { Overview } from '../core/overview';
import type { Viewport } from '../core/viewport';
import type { Palette } from './palette';

export interface MinimapScene {
  readonly overview: Overview;
  readonly colours: readonly string[];
  readonly height: number;
  /** Of the whole run. */
  readonly axis: Axis;
  readonly view: Viewport;
  readonly now: number | null;
  readonly matchTimes: readonly number[];
  readonly palette: Palette;
}

const ERROR_BAND = 8;
const TOP = 4;
/** One span at a time fills about two thirds of the height: a run without parallel work is no wall of colour. */
const LEAST_ROOT = 1.5;

export function drawMinimap(context: CanvasRenderingContext2D, scene: MinimapScene): void {
  for (const fold of breaksOf(scene.axis)) {
    context.fillStyle = scene.palette.line;
    context.fillRect(fold.x, 0, fold.width, scene.height);
  }
  drawStacks(context, scene);
  drawErrors(context, scene);
  drawMatches(context, scene);
  if (scene.now !== null) {
    context.fillStyle = scene.palette.accent;
    context.fillRect(Math.round(scene.axis.toX(scene.now)), 0, 1, scene.height);
  }
  drawWindow(context, scene);
}

function drawStacks(context: CanvasRenderingContext2D, scene: MinimapScene): void {
  const { overview, colours } = scene;
  const floor = scene.height - 2;
  const room = floor - ERROR_BAND - TOP;
  const column = scene.axis.width / overview.buckets;
  const edge = (i: number) => Math.round(i * column); // whole pixels: half-painted ones would show as stripes
  // The square root keeps one span visible beside a burst of a hundred.
  const scale = room / Math.max(Math.sqrt(overview.peak), LEAST_ROOT);
  const tops = new Float64Array(overview.buckets);
  for (let group = 0; group < overview.colours; group++) {
    context.fillStyle = colours[group];
    for (let i = 0; i < overview.buckets; i++) {
      const value = overview.active[group * overview.buckets + i];
      if (value <= 0.0001) continue;
      const below = Math.sqrt(tops[i]) * scale;
      tops[i] += value;
      const height = Math.max(Math.sqrt(tops[i]) * scale - below, below === 0 ? 1 : 0);
      context.fillRect(edge(i), floor - below - height, edge(i + 1) - edge(i), height);
    }
  }
}

function drawErrors(context: CanvasRenderingContext2D, scene: MinimapScene): void {
  const { overview } = scene;
  const column = scene.axis.width / overview.buckets;
  context.fillStyle = scene.palette.error;
  for (let i = 0; i < overview.buckets; i++) {
    if (overview.errors[i] === 0) continue;
    const height = 2 + (ERROR_BAND - 2) * (overview.errors[i] / overview.errorPeak);
    context.fillRect(i * column, 1, Math.max(column, 2), height);
  }
}

function drawMatches(context: CanvasRenderingContext2D, scene: MinimapScene): void {
  context.fillStyle = scene.palette.accent;
  let last = -Infinity;
  for (const time of scene.matchTimes) {
    const x = Math.round(scene.axis.toX(time));
    if (x - last < 2) continue;
    context.fillRect(x, scene.height - 6, 1, 6);
    last = x;
  }
}

function drawWindow(context: CanvasRenderingContext2D, scene: MinimapScene): void {
  const left = scene.axis.toX(scene.view.start);
  const right = scene.axis.toX(scene.view.end);
  if (left <= 0.5 && right >= scene.axis.width - 0.5) return;
  context.fillStyle = scene.palette.bg;
  context.globalAlpha = 0.66;
  context.fillRect(0, 0, left, scene.height);
  context.fillRect(right, 0, scene.axis.width - right, scene.height);
  context.globalAlpha = 1;
  context.fillStyle = scene.palette.accent;
  for (const x of [left, right]) {
    context.fillRect(x - 1, 0, 2, scene.height);
    context.beginPath();
    context.roundRect(x - 3, scene.height / 2 - 9, 6, 18, 2); // a grip: edges can be dragged
    context.fill();
  }
}
