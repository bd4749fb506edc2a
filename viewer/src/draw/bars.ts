/** Paints the bars of the rows on screen. */

import { barAt, labelPlace, mergeLane, MIN_BAR_PX, type Bar, type Lane } from '../core/bars';
import { CANCELLED, FAILED, LOST, RUNNING, SKIPPED } from '../core/kinds';
import type { SpanStore } from '../core/spans';
import type { Tick } from '../core/ticks';
import { formatDuration, formatTicking } from '../core/time';
import type { Tree } from '../core/tree';
import { toX, type Viewport } from '../core/viewport';
import type { Palette } from './palette';

export interface BarScene {
  readonly store: SpanStore;
  readonly tree: Tree;
  readonly rows: Int32Array;
  readonly first: number;
  readonly count: number;
  readonly scrollTop: number;
  readonly rowHeight: number;
  readonly width: number;
  readonly height: number;
  readonly view: Viewport;
  readonly ticks: readonly Tick[];
  /** The collector's clock, in the store's nanoseconds. */
  readonly now: number;
  /** When the run ended; null while it runs. Spans still open then were never ended. */
  readonly runEnd: number | null;
  readonly palette: Palette;
  readonly groupOf: (row: number) => number;
  readonly matches: Uint8Array | null;
  /** Checkpoints of a span, in the store's nanoseconds. */
  readonly checkpoints: ReadonlyMap<number, readonly number[]>;
  /** The spans inside a collapsed node, or null when it is open. */
  readonly laneOf: (node: number) => Lane | null;
}

const BAR = 12;
/** Of a collapsed row's bar, the part that shows its inside. */
const INSIDE = 8;
const LABEL_GAP = 6;
const DIMMED = 0.25;

export function drawBars(context: CanvasRenderingContext2D, scene: BarScene): void {
  drawGrid(context, scene);
  context.font = `500 11px ${scene.palette.font}`;
  context.textBaseline = 'middle';
  for (let i = scene.first; i < scene.first + scene.count; i++) {
    const node = scene.rows[i];
    const middle = i * scene.rowHeight - scene.scrollTop + scene.rowHeight / 2;
    if (node < scene.tree.spanCount) drawSpan(context, scene, node, middle);
    else drawPlaceholder(context, scene, node, middle);
  }
  if (scene.runEnd === null) drawNow(context, scene);
}

function drawGrid(context: CanvasRenderingContext2D, scene: BarScene): void {
  context.fillStyle = scene.palette.line;
  context.globalAlpha = 0.7;
  for (const tick of scene.ticks) {
    context.fillRect(Math.round(toX(scene.view, scene.width, tick.time)), 0, 1, scene.height);
  }
  context.globalAlpha = 1;
}

function drawNow(context: CanvasRenderingContext2D, scene: BarScene): void {
  const x = Math.round(toX(scene.view, scene.width, scene.now));
  if (x < 0 || x > scene.width) return;
  context.fillStyle = scene.palette.accent;
  context.globalAlpha = 0.55;
  context.fillRect(x, 0, 1, scene.height);
  context.globalAlpha = 1;
}

/** Where a span ends on screen: its end, else now, else where its run ended. */
export function shownEnd(scene: Pick<BarScene, 'tree' | 'now' | 'runEnd'>, row: number): number {
  const end = scene.tree.end[row];
  if (!Number.isNaN(end)) return end;
  return Math.max(scene.runEnd ?? scene.now, scene.tree.start[row]);
}

function drawSpan(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  const bar = barAt(scene.view, scene.width, scene.tree.start[row], shownEnd(scene, row));
  const faint = scene.matches !== null && scene.matches[row] === 0;
  context.globalAlpha = faint ? DIMMED : 1;
  if (bar) {
    paintBar(context, scene, row, bar, middle - BAR / 2);
    drawInside(context, scene, row, middle);
    drawLabel(context, scene, row, bar, middle);
  } else drawPointer(context, scene, row, middle);
  drawCheckpoints(context, scene, row, middle);
  context.globalAlpha = 1;
}

function paintBar(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, top: number): void {
  const { palette, store } = scene;
  const colour = palette.kinds[scene.groupOf(row)];
  const status = store.status[row];
  const alpha = context.globalAlpha;
  context.fillStyle = colour;
  if (status === SKIPPED) outline(context, bar, top, colour);
  else if (status === RUNNING && scene.runEnd === null) paintRunning(context, bar, top, alpha);
  else {
    context.globalAlpha = alpha * (status === CANCELLED ? 0.55 : 1);
    box(context, bar, top);
    if (endIsUnknown(scene, row)) hatchEnd(context, bar, top, palette.bg);
  }
  context.globalAlpha = alpha;
  if (status === FAILED) {
    context.fillStyle = palette.error;
    context.fillRect(bar.x, top + BAR + 1, bar.width, 2);
  }
}

/** Lost, or never ended although its run did. */
function endIsUnknown({ store, runEnd }: BarScene, row: number): boolean {
  return store.status[row] === LOST || (store.status[row] === RUNNING && runEnd !== null);
}

function box(context: CanvasRenderingContext2D, bar: Bar, top: number): void {
  context.beginPath();
  context.roundRect(bar.x, top, bar.width, BAR, Math.min(2, bar.width / 2));
  context.fill();
}

function outline(context: CanvasRenderingContext2D, bar: Bar, top: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([3, 2]);
  context.strokeRect(bar.x + 0.5, top + 0.5, Math.max(bar.width - 1, MIN_BAR_PX), BAR - 1);
  context.setLineDash([]);
}

function paintRunning(context: CanvasRenderingContext2D, bar: Bar, top: number, alpha: number): void {
  context.globalAlpha = alpha * 0.55;
  box(context, bar, top);
  context.globalAlpha = alpha;
  context.fillRect(bar.x + bar.width - 2, top - 1, 2, BAR + 2);
}

/** Diagonal cuts through a bar's last stretch: where it ended is not known. */
function hatchEnd(context: CanvasRenderingContext2D, bar: Bar, top: number, background: string): void {
  const length = Math.min(bar.width, Math.max(12, bar.width * 0.25));
  const from = bar.x + bar.width - length;
  context.save();
  context.beginPath();
  context.rect(from, top, length, BAR);
  context.clip();
  context.strokeStyle = background;
  context.lineWidth = 2;
  context.beginPath();
  for (let x = from - BAR; x < from + length; x += 5) {
    context.moveTo(x, top + BAR);
    context.lineTo(x + BAR, top);
  }
  context.stroke();
  context.restore();
}

/** What goes on inside a collapsed row, below a rim of its own bar: the kinds at work, by their share of the time. */
function drawInside(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  const lane = scene.laneOf(row);
  if (!lane) return;
  const top = middle + BAR / 2 - INSIDE;
  const bar = barAt(scene.view, scene.width, scene.tree.start[row], shownEnd(scene, row));
  context.fillStyle = scene.palette.bg;
  if (bar) context.fillRect(bar.x, top - 1, bar.width, INSIDE + 1);
  for (const strip of mergeLane(lane, scene.view, Math.floor(scene.width))) {
    let y = top;
    for (const [group, share] of strip.shares) {
      context.fillStyle = scene.palette.kinds[group];
      context.fillRect(strip.from, y, strip.to - strip.from, share * INSIDE);
      y += share * INSIDE;
    }
  }
}

function drawLabel(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, middle: number): void {
  const text = durationText(scene, row);
  const opaque = scene.laneOf(row) === null;
  const width = context.measureText(text).width;
  let place = labelPlace(bar, width, scene.width, LABEL_GAP);
  // A hatched end or the inside of a collapsed row is no ground for text.
  if (place === 'inside' && (endIsUnknown(scene, row) || !opaque)) place = bar.x - LABEL_GAP - width >= 0 ? 'left' : 'none';
  if (place === 'none') return;
  context.fillStyle = scene.palette.ink2;
  if (place === 'right') context.fillText(text, bar.x + bar.width + LABEL_GAP, middle + 0.5);
  else if (place === 'left') context.fillText(text, bar.x - LABEL_GAP - width, middle + 0.5);
  else {
    // An open bar is painted faintly, so the page's own ink reads on it in both themes.
    context.fillStyle = scene.store.isRunning(row) ? scene.palette.ink : scene.palette.bg;
    context.fillText(text, Math.min(bar.x + bar.width, scene.width) - LABEL_GAP - width, middle + 0.5);
  }
}

function durationText(scene: BarScene, row: number): string {
  const { store } = scene;
  const ms = (shownEnd(scene, row) - scene.tree.start[row]) / 1e6;
  if (!store.isRunning(row)) return formatDuration(ms);
  return scene.runEnd === null ? formatTicking(ms) : 'not ended';
}

/** A small arrow at the edge towards a bar that lies outside the window. */
function drawPointer(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  const later = scene.tree.start[row] > scene.view.end;
  const [tip, base] = later ? [scene.width - 3, scene.width - 8] : [3, 8];
  context.fillStyle = scene.palette.kinds[scene.groupOf(row)];
  context.beginPath();
  context.moveTo(tip, middle);
  context.lineTo(base, middle - 3.5);
  context.lineTo(base, middle + 3.5);
  context.fill();
}

function drawCheckpoints(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  for (const time of scene.checkpoints.get(row) ?? []) {
    const x = toX(scene.view, scene.width, time);
    if (x >= -4 && x <= scene.width + 4) drawDiamond(context, scene.palette, x, middle);
  }
}

export function drawDiamond(context: CanvasRenderingContext2D, palette: Palette, x: number, middle: number): void {
  context.beginPath();
  context.moveTo(x, middle - 4.5);
  context.lineTo(x + 4.5, middle);
  context.lineTo(x, middle + 4.5);
  context.lineTo(x - 4.5, middle);
  context.closePath();
  context.fillStyle = palette.ink;
  context.strokeStyle = palette.bg;
  context.lineWidth = 1.5;
  context.stroke();
  context.fill();
}

/** A span that never came reaches at least over its children; a dashed outline says that this is all that is known. */
function drawPlaceholder(context: CanvasRenderingContext2D, scene: BarScene, node: number, middle: number): void {
  const bar = barAt(scene.view, scene.width, scene.tree.start[node], shownEnd(scene, node));
  if (bar) outline(context, bar, middle - BAR / 2, scene.palette.ink3);
}
