/** Paints the bars of two runs: a's as ghosts, b's in front of them. */

import type { Axis } from '../core/axis';
import { barAt, type Bar } from '../core/bars';
import type { ComparedRow, Side } from '../core/compare';
import type { RowTimes } from '../core/comparetime';
import { KIND_GROUPS, kindGroup } from '../core/kinds';
import type { Tick } from '../core/ticks';
import type { Palette } from './palette';

export interface CompareScene {
  readonly rows: readonly ComparedRow[];
  readonly times: RowTimes;
  /** Rows on screen, top to bottom. */
  readonly visible: readonly number[];
  /** Where the first of them begins. */
  readonly top: number;
  readonly rowHeight: number;
  readonly height: number;
  readonly axis: Axis;
  readonly ticks: readonly Tick[];
  readonly palette: Palette;
}

const GHOST = 16;
const BAR = 8;

export function drawComparison(context: CanvasRenderingContext2D, scene: CompareScene): void {
  drawGrid(context, scene);
  scene.visible.forEach((row, i) => {
    const middle = scene.top + i * scene.rowHeight + scene.rowHeight / 2;
    const { startA, endA, startB, endB } = scene.times;
    const { a, b, kind } = scene.rows[row];
    if (a) drawGhost(context, scene, barAt(scene.axis, startA[row], endA[row]), middle, a);
    if (b) drawBar(context, scene, barAt(scene.axis, startB[row], endB[row]), middle, b, kind);
    drawPointers(context, scene, row, middle);
  });
}

function drawGrid(context: CanvasRenderingContext2D, { ticks, axis, height, palette }: CompareScene): void {
  context.fillStyle = palette.line;
  context.globalAlpha = 0.7;
  for (const tick of ticks) context.fillRect(Math.round(axis.toX(tick.time)), 0, 1, height);
  context.globalAlpha = 1;
}

function drawGhost(context: CanvasRenderingContext2D, { palette, rowHeight }: CompareScene, bar: Bar | null, middle: number, side: Side): void {
  if (!bar) return;
  const height = Math.min(GHOST, rowHeight - 4);
  context.fillStyle = context.strokeStyle = palette.ink3;
  context.globalAlpha = 0.2;
  box(context, bar, middle - height / 2, height);
  context.fill();
  context.globalAlpha = 0.75;
  context.lineWidth = 1;
  box(context, { x: bar.x + 0.5, width: Math.max(bar.width - 1, 1) }, middle - height / 2 + 0.5, height - 1);
  context.stroke();
  context.globalAlpha = 1;
  underline(context, palette, bar, middle - height / 2 - 1, side);
}

function drawBar(context: CanvasRenderingContext2D, { palette }: CompareScene, bar: Bar | null, middle: number, side: Side, kind: string): void {
  if (!bar) return;
  context.fillStyle = palette.kinds[KIND_GROUPS.indexOf(kindGroup(kind))];
  context.globalAlpha = side.status === 'running' ? 0.55 : 1;
  box(context, bar, middle - BAR / 2, BAR);
  context.fill();
  context.globalAlpha = 1;
  underline(context, palette, bar, middle + BAR / 2 + 1, side);
}

function underline(context: CanvasRenderingContext2D, palette: Palette, bar: Bar, y: number, side: Side): void {
  if (side.status !== 'failed') return;
  context.fillStyle = palette.error;
  context.fillRect(bar.x, y, bar.width, 2);
}

function box(context: CanvasRenderingContext2D, bar: Bar, top: number, height: number): void {
  context.beginPath();
  context.roundRect(bar.x, top, bar.width, height, Math.min(2, bar.width / 2));
}

/** A small arrow at the edge towards bars that lie outside the window. */
function drawPointers(context: CanvasRenderingContext2D, { times, axis: { view, width }, palette }: CompareScene, row: number, middle: number): void {
  const starts = [times.startA[row], times.startB[row]].filter((time) => !Number.isNaN(time));
  const ends = [times.endA[row], times.endB[row]].filter((time) => !Number.isNaN(time));
  const later = starts.length > 0 && starts.every((start) => start > view.end);
  if (!later && !(ends.length > 0 && ends.every((end) => end < view.start))) return;
  const [tip, base] = later ? [width - 3, width - 8] : [3, 8];
  context.fillStyle = palette.ink3;
  context.beginPath();
  context.moveTo(tip, middle);
  context.lineTo(base, middle - 3.5);
  context.lineTo(base, middle + 3.5);
  context.fill();
}
