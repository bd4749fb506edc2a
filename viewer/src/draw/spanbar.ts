/** Paints one span's bar: what it was, how it ended, and whether it ended at all. */

import { MIN_BAR_PX, type Bar } from '../core/bars';
import { CANCELLED, FAILED, KIND_GROUPS, kindGroup, RUNNING, SKIPPED } from '../core/kinds';
import { BAR, colourOf, endIsUnknown, shownEnd, type BarScene } from './scene';
import { hatch, lastStretch, outline } from './segments';

const UNFINISHED = 0.55;
const BEFORE_FIRST_TOKEN = 0.45;
const HUMAN = KIND_GROUPS.indexOf('human');

export function paintBar(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, top: number): void {
  const status = scene.store.status[row];
  const alpha = context.globalAlpha;
  const colour = colourOf(scene, row);
  context.fillStyle = colour;
  if (status === SKIPPED) outline(context, bar, top, colour);
  else if (status === RUNNING && scene.runEnd === null) paintRunning(context, scene, row, bar, top);
  else paintEnded(context, scene, row, bar, top);
  context.globalAlpha = alpha;
  if (status === FAILED) {
    context.fillStyle = scene.palette.error;
    context.fillRect(bar.x, top + BAR + 1, bar.width, 2);
  }
}

function paintEnded(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, top: number): void {
  const alpha = context.globalAlpha;
  if (isHuman(scene, row)) paintWaiting(context, bar, top);
  else {
    context.globalAlpha = alpha * (scene.store.status[row] === CANCELLED ? UNFINISHED : 1);
    paintStreamed(context, scene, row, bar, top);
  }
  context.globalAlpha = alpha;
  if (endIsUnknown(scene, row)) hatchEnd(context, bar, top, scene.palette.bg);
}

/** Until a model's first token came its bar is lighter; a notch marks the moment. */
function paintStreamed(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, top: number): void {
  const first = scene.store.firstToken[row];
  const { start } = scene.tree;
  // Drawn times may be shifted against recorded ones; the first token moves with its span.
  const x = Number.isNaN(first) ? NaN : scene.axis.toX(first + start[row] - scene.store.start[row]);
  if (!(x > bar.x + 2) || x > bar.x + bar.width) return box(context, bar, top);
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * BEFORE_FIRST_TOKEN;
  box(context, { x: bar.x, width: x - bar.x }, top);
  context.globalAlpha = alpha;
  if (x + 1 < bar.x + bar.width) box(context, { x: x + 1, width: bar.x + bar.width - x - 1 }, top);
}

/** A solid edge at now, behind it what is not finished. */
function paintRunning(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, top: number): void {
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * UNFINISHED;
  if (isHuman(scene, row)) paintWaiting(context, bar, top);
  else box(context, bar, top);
  context.globalAlpha = alpha;
  const edge = scene.axis.toX(shownEnd(scene, row));
  if (edge <= scene.axis.width) context.fillRect(bar.x + bar.width - 2, top - 1, 2, BAR + 2);
}

/** Waiting for a person is no work: hatched in its hue, with a line around. */
function paintWaiting(context: CanvasRenderingContext2D, bar: Bar, top: number): void {
  hatch(context, bar, top, context.fillStyle as string, 1.5);
  context.strokeStyle = context.fillStyle;
  context.lineWidth = 1;
  context.strokeRect(bar.x + 0.5, top + 0.5, Math.max(bar.width - 1, 1), BAR - 1);
}

export function isHuman({ store }: Pick<BarScene, 'store'>, row: number): boolean {
  return KIND_GROUPS.indexOf(kindGroup(store.kindOf(row))) === HUMAN;
}

export function box(context: CanvasRenderingContext2D, bar: Bar, top: number): void {
  if (bar.width <= MIN_BAR_PX + 1) return context.fillRect(bar.x, top, bar.width, BAR);
  context.beginPath();
  context.roundRect(bar.x, top, bar.width, BAR, 2);
  context.fill();
}

/** Diagonal cuts through a bar's last stretch: where it ended is not known. */
function hatchEnd(context: CanvasRenderingContext2D, bar: Bar, top: number, background: string): void {
  hatch(context, lastStretch(bar), top, background, 2);
}
