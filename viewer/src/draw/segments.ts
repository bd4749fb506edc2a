/** Paints bars that stand for several spans: folded rows, repeats, the tries of one step and the waits between them. */

import { barAt, errorTicks, mergeLane, MIN_BAR_PX, type Bar } from '../core/bars';
import { membersOf } from '../core/lanemarks';
import { waitsBetween } from '../core/waits';
import { FAILED } from '../core/kinds';
import { drawGauge } from './marks';
import { BAR, colourOf, shownEnd, type BarScene } from './scene';
import { paintBar } from './spanbar';

/** Of a folded row's bar, the part that shows its inside. */
const INSIDE = 8;

/** What goes on inside a folded row, below a rim of its own bar: the colours at work, by their share of the time. */
export function drawInside(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  if (!scene.laneOf(row)) return;
  const top = middle + BAR / 2 - INSIDE;
  const bar = barAt(scene.axis, scene.tree.start[row], shownEnd(scene, row));
  // Cleared, not painted over: the row's own ground shows, selected or not.
  if (bar) context.clearRect(bar.x, top - 1, bar.width, INSIDE + 1);
  drawStrips(context, scene, row, top, INSIDE);
}

/** Each strip stacks its colours; failed spans get a tick on top, so that errors neither win nor vanish. */
function drawStrips(context: CanvasRenderingContext2D, scene: BarScene, node: number, top: number, height: number): void {
  const lane = scene.laneOf(node);
  if (!lane) return;
  for (const strip of mergeLane(lane, scene.axis)) {
    let y = top;
    for (const [colour, share] of strip.shares) {
      context.fillStyle = scene.colours[colour];
      context.fillRect(strip.from, y, strip.to - strip.from, share * height);
      y += share * height;
    }
  }
  context.fillStyle = scene.palette.error;
  for (const x of errorTicks(lane, scene.axis)) context.fillRect(Math.round(x), top - 4, 2, 4);
}

/** Repeats and tries in one row; above their open members only their extent. */
export function drawGroup(context: CanvasRenderingContext2D, scene: BarScene, node: number, bar: Bar, middle: number, open: boolean): void {
  const { tree } = scene;
  if (open) return drawExtent(context, bar, middle, scene.palette.lineStrong);
  if (tree.synthetic[node - tree.spanCount].type === 'repeat') return drawStrips(context, scene, node, middle - BAR / 2, BAR);
  const members = membersOf(scene.tree, node);
  for (const member of members) drawTry(context, scene, member, middle);
  drawWaits(context, scene, members, middle);
}

/** One try: failed ones are outlined, so that the one that counted stands out. */
function drawTry(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  const bar = barAt(scene.axis, scene.tree.start[row], shownEnd(scene, row));
  if (!bar) return;
  const top = middle - BAR / 2;
  if (scene.store.status[row] !== FAILED) return paintBar(context, scene, row, bar, top);
  context.strokeStyle = colourOf(scene, row);
  context.lineWidth = 1;
  context.strokeRect(bar.x + 0.5, top + 0.5, Math.max(bar.width - 1, MIN_BAR_PX - 1), BAR - 1);
  context.fillStyle = scene.palette.error;
  context.fillRect(bar.x, top + BAR + 1, bar.width, 2);
}

/** Between two tries: a dotted hairline for a backoff, a line with a gauge where a limit had been hit. */
function drawWaits(context: CanvasRenderingContext2D, scene: BarScene, members: readonly number[], middle: number): void {
  for (const wait of waitsBetween(members, scene.store, scene.tree)) {
    const from = scene.axis.toX(wait.start);
    const to = scene.axis.toX(wait.end);
    if (to < 0 || from > scene.axis.width || to - from < 2) continue;
    hairline(context, from, to, middle, scene.palette.ink3, wait.kind === 'backoff');
    if (wait.kind === 'limited' && to - from > 16) drawGauge(context, scene.palette, (from + to) / 2, middle);
  }
}

/** Before the run's own bar: the queue as a line, a delay dotted, a pause hatched. */
export function drawLeadIn(context: CanvasRenderingContext2D, scene: BarScene, middle: number): void {
  for (const { kind, start, end } of scene.leadIn) {
    const bar = barAt(scene.axis, start, end);
    if (!bar) continue;
    if (kind === 'paused') hatch(context, bar, middle - BAR / 2, scene.palette.ink3, 1);
    else hairline(context, bar.x, bar.x + bar.width, middle, scene.palette.ink3, kind === 'backoff');
  }
}

export function hairline(context: CanvasRenderingContext2D, from: number, to: number, y: number, colour: string, dotted: boolean): void {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash(dotted ? [2, 3] : []);
  context.beginPath();
  context.moveTo(from, Math.round(y));
  context.lineTo(to, Math.round(y));
  context.stroke();
  context.setLineDash([]);
}

/** A bracket over rows that follow. */
function drawExtent(context: CanvasRenderingContext2D, bar: Bar, middle: number, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(bar.x, middle - 1, bar.width, 2);
  context.fillRect(bar.x, middle - 1, 2, 5);
  context.fillRect(bar.x + bar.width - 2, middle - 1, 2, 5);
}

export function outline(context: CanvasRenderingContext2D, bar: Bar, top: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([3, 2]);
  context.strokeRect(bar.x + 0.5, top + 0.5, Math.max(bar.width - 1, MIN_BAR_PX), BAR - 1);
  context.setLineDash([]);
}

/** Diagonal lines over a bar. */
export function hatch(context: CanvasRenderingContext2D, bar: Bar, top: number, colour: string, lineWidth: number): void {
  context.strokeStyle = colour;
  context.lineWidth = lineWidth;
  context.beginPath();
  diagonals(context, bar, top, BAR);
  context.stroke();
}

/** Adds a bar's diagonal lines to a path; each is cut at the bar's sides, so that many bars need no clipping and one stroke. */
export function diagonals(path: CanvasPath, bar: Bar, top: number, height: number): void {
  for (let x = bar.x - height; x < bar.x + bar.width; x += 5) {
    const from = Math.max(bar.x - x, 0);
    const to = Math.min(bar.x + bar.width - x, height);
    if (to <= from) continue;
    path.moveTo(x + from, top + height - from);
    path.lineTo(x + to, top + height - to);
  }
}

/** The stretch at a bar's end that is hatched where the end is not known. */
export function lastStretch(bar: Bar): Bar {
  const width = Math.min(bar.width, Math.max(12, bar.width * 0.25));
  return { x: bar.x + bar.width - width, width };
}
