/** Paints what lies behind and over all bars: the grid, folded time, now, and what the reader measures. */

import { breaksOf, type Break } from '../core/axis';
import type { Bar } from '../core/bars';
import { formatDuration } from '../core/time';
import { rowOfNode } from '../core/rows';
import { BAR, rowMiddle, type BarScene } from './scene';

const PAD = 5;

export function drawBelow(context: CanvasRenderingContext2D, scene: BarScene): void {
  context.fillStyle = scene.palette.line;
  context.globalAlpha = 0.7;
  for (const tick of scene.ticks) context.fillRect(Math.round(scene.axis.toX(tick.time)), 0, 1, scene.height);
  context.globalAlpha = 1;
  for (const fold of breaksOf(scene.axis)) drawBreak(context, scene, fold);
  if (scene.area) drawAreaGround(context, scene);
}

export function drawAbove(context: CanvasRenderingContext2D, scene: BarScene): void {
  if (scene.runEnd === null) drawNow(context, scene);
  if (scene.area) drawAreaEdges(context, scene);
  if (scene.gap) drawGap(context, scene);
}

/** Folded time: a strip of other ground with torn edges. How long it is stands in the ruler. */
function drawBreak(context: CanvasRenderingContext2D, scene: BarScene, fold: Break): void {
  context.fillStyle = scene.palette.surface;
  context.fillRect(fold.x, 0, fold.width, scene.height);
  context.strokeStyle = scene.palette.lineStrong;
  context.lineWidth = 1;
  for (const x of [fold.x, fold.x + fold.width]) tear(context, Math.round(x) + 0.5, scene.height);
}

/** A cut through a bar that reaches over folded time: it is longer than it looks. */
export function cutAtBreaks(context: CanvasRenderingContext2D, scene: BarScene, bar: Bar, top: number): void {
  context.strokeStyle = scene.palette.surface;
  context.lineWidth = 2;
  for (const { x, width } of breaksOf(scene.axis)) {
    if (bar.x > x || bar.x + bar.width < x + width) continue;
    const middle = x + width / 2;
    context.beginPath();
    for (const shift of [-3, 3]) {
      context.moveTo(middle + shift - 3, top + BAR + 2);
      context.lineTo(middle + shift + 3, top - 2);
    }
    context.stroke();
  }
}

function tear(context: CanvasRenderingContext2D, x: number, height: number): void {
  context.beginPath();
  context.moveTo(x, 0);
  for (let y = 0, side = 1; y < height; y += 6, side = -side) context.lineTo(x + side * 1.5, y + 3);
  context.stroke();
}

function drawNow(context: CanvasRenderingContext2D, scene: BarScene): void {
  const x = Math.round(scene.axis.toX(scene.now));
  if (x < 0 || x > scene.axis.width) return;
  context.fillStyle = scene.palette.accent;
  context.globalAlpha = 0.55;
  context.fillRect(x, 0, 1, scene.height);
  context.globalAlpha = 1;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function areaBox(scene: BarScene): Box {
  const { area, axis, rows, tree } = scene;
  const [left, right] = area ? [axis.toX(area.start), axis.toX(area.end)] : [0, 0];
  if (!area?.nodes) return { left, right, top: 0, bottom: scene.height };
  const [first, last] = area.nodes.map((node) => rowOfNode(rows, tree, node)).sort((a, b) => a - b);
  return { left, right, top: rowMiddle(scene, first) - scene.rowHeight / 2, bottom: rowMiddle(scene, last) + scene.rowHeight / 2 };
}

function drawAreaGround(context: CanvasRenderingContext2D, scene: BarScene): void {
  const box = areaBox(scene);
  context.fillStyle = scene.palette.accent;
  context.globalAlpha = 0.12;
  context.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.globalAlpha = 1;
}

function drawAreaEdges(context: CanvasRenderingContext2D, scene: BarScene): void {
  const box = areaBox(scene);
  context.strokeStyle = scene.palette.accent;
  context.lineWidth = 1;
  context.strokeRect(Math.round(box.left) + 0.5, Math.round(box.top) + 0.5, Math.round(box.right - box.left), Math.round(box.bottom - box.top) - 1);
  if (scene.area) drawFigure(context, scene, (box.left + box.right) / 2, Math.max(box.top, 0) + 9, scene.area.end - scene.area.start);
}

/** A dimension line from the one span's edge to the other's, with the time between them. */
function drawGap(context: CanvasRenderingContext2D, scene: BarScene): void {
  if (!scene.gap) return;
  const { gap, from, to } = scene.gap;
  const [a, b] = [scene.axis.toX(gap.from), scene.axis.toX(gap.to)];
  const [one, other] = [from, to].map((node) => rowMiddle(scene, rowOfNode(scene.rows, scene.tree, node)));
  const middle = (one + other) / 2;
  context.fillStyle = scene.palette.accent;
  for (const x of [a, b]) context.fillRect(Math.round(x), Math.min(one, other) - BAR / 2, 1, Math.abs(other - one) + BAR);
  context.fillRect(Math.min(a, b), Math.round(middle), Math.abs(b - a), 1);
  drawFigure(context, scene, (a + b) / 2, middle, gap.to - gap.from);
}

function drawFigure(context: CanvasRenderingContext2D, scene: BarScene, x: number, y: number, ns: number): void {
  const text = formatDuration(ns / 1e6);
  const width = context.measureText(text).width + 2 * PAD;
  const left = Math.min(Math.max(x - width / 2, 2), scene.axis.width - width - 2);
  context.fillStyle = scene.palette.accent;
  context.beginPath();
  context.roundRect(left, y - 8, width, 16, 3);
  context.fill();
  context.fillStyle = scene.palette.accentInk;
  context.fillText(text, left + PAD, y + 0.5);
}
