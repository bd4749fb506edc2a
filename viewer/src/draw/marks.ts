/** Paints what happened at one instant: checkpoints and events. */

import { clusters, type Cluster } from '../core/eventmarks';
import type { Palette } from './palette';
import { BAR, type BarScene } from './scene';

export function drawCheckpoints(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  for (const time of scene.checkpoints.get(row) ?? []) {
    const x = scene.axis.toX(time);
    if (x >= -4 && x <= scene.axis.width + 4) drawDiamond(context, scene.palette, x, middle);
  }
}

/** reach: from its middle to its corners. */
export function drawDiamond(context: CanvasRenderingContext2D, palette: Palette, x: number, middle: number, reach = 4.5): void {
  context.beginPath();
  context.moveTo(x, middle - reach);
  context.lineTo(x + reach, middle);
  context.lineTo(x, middle + reach);
  context.lineTo(x - reach, middle);
  context.closePath();
  context.fillStyle = palette.ink;
  context.strokeStyle = palette.bg;
  context.lineWidth = 1.5;
  context.stroke();
  context.fill();
}

/** Logs and events on the bar: a dot each, a count where they crowd; the shape tells how grave. */
export function drawDots(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  const dots = scene.dotsOf(row);
  if (!dots) return;
  for (const mark of clusters(dots, scene.axis.toX, scene.axis.width)) {
    if (mark.count > 1) drawCount(context, scene.palette, mark, middle);
    else drawShape(context, scene.palette, mark, middle);
  }
}

export function drawShape(context: CanvasRenderingContext2D, palette: Palette, { x, weight }: Cluster, y: number): void {
  context.beginPath();
  if (weight === 'plain') context.arc(x, y, 2, 0, 7);
  else if (weight === 'warning') {
    context.moveTo(x, y - 3.5);
    context.lineTo(x + 3.5, y + 2.5);
    context.lineTo(x - 3.5, y + 2.5);
    context.closePath();
  } else context.rect(x - 2.5, y - 2.5, 5, 5);
  context.strokeStyle = palette.bg;
  context.lineWidth = 2;
  context.stroke();
  context.fillStyle = inkOf(palette, weight);
  context.fill();
}

export function drawCount(context: CanvasRenderingContext2D, palette: Palette, { x, count, weight }: Cluster, middle: number): void {
  const text = count > 999 ? '999+' : String(count);
  const width = context.measureText(text).width + 12;
  const left = x - 4;
  context.fillStyle = palette.bg;
  context.strokeStyle = palette.lineStrong;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(left, middle - BAR / 2 + 0.5, width, BAR - 1, 5);
  context.fill();
  context.stroke();
  drawShape(context, palette, { x: left + 5, count: 1, weight }, middle);
  context.fillStyle = palette.ink;
  context.fillText(text, left + 9, middle + 0.5);
}

export function inkOf(palette: Palette, weight: Cluster['weight']): string {
  if (weight === 'error') return palette.error;
  return weight === 'warning' ? palette.warn : palette.ink;
}

/** A gauge at its limit. */
export function drawGauge(context: CanvasRenderingContext2D, palette: Palette, x: number, middle: number): void {
  context.fillStyle = palette.bg;
  context.beginPath();
  context.arc(x, middle, 7, 0, 7);
  context.fill();
  context.strokeStyle = palette.warn;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, middle + 1, 4.5, Math.PI * 0.95, Math.PI * 2.05);
  context.moveTo(x, middle + 1.5);
  context.lineTo(x + 3, middle - 1.5);
  context.stroke();
}
