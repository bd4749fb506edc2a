/** Paints the bars of the rows on screen. */

import { barAt, labelPlace, type Bar } from '../core/bars';
import { COUNTED_PX } from '../core/eventmarks';
import { passageOf, segmentsOf, type Passage } from '../core/criticalpath';
import { hasMatch } from '../core/rows';
import { formatDuration, formatTicking } from '../core/time';
import { drawDots, drawCheckpoints } from './marks';
import { cutAtBreaks, drawAbove, drawBelow } from './overlays';
import { BAR, colourOf, DIMMED, endIsUnknown, LABEL_GAP, rowMiddle, shownEnd, type BarScene } from './scene';
import { drawGroup, drawInside, drawLeadIn, outline } from './segments';
import { isHuman, paintBar } from './spanbar';

export function drawBars(context: CanvasRenderingContext2D, scene: BarScene): void {
  drawBelow(context, scene);
  context.font = `500 11px ${scene.palette.font}`;
  context.textBaseline = 'middle';
  for (let i = scene.first; i < scene.first + scene.count; i++) {
    const node = scene.rows[i];
    if (node < scene.tree.spanCount) drawSpan(context, scene, node, rowMiddle(scene, i));
    else drawSynthetic(context, scene, node, rowMiddle(scene, i));
  }
  drawAbove(context, scene);
}

function drawSpan(context: CanvasRenderingContext2D, scene: BarScene, row: number, middle: number): void {
  const bar = barAt(scene.axis, scene.tree.start[row], shownEnd(scene, row));
  const faint = scene.matches !== null && scene.matches[row] === 0;
  context.globalAlpha = faint ? DIMMED : 1;
  if (row === scene.root) drawLeadIn(context, scene, middle);
  if (bar) {
    paintBar(context, scene, row, bar, middle - BAR / 2);
    drawInside(context, scene, row, middle);
    drawPath(context, scene, row, middle);
    cutAtBreaks(context, scene, bar, middle - BAR / 2);
    drawTrace(context, scene, row, bar, middle);
    drawDots(context, scene, row, middle);
    drawLabel(context, scene, row, bar, middle);
  } else drawPointer(context, scene, row, middle);
  drawCheckpoints(context, scene, row, middle);
  context.globalAlpha = 1;
}

/** A row that is no span: a parent that never came, repeats, or the tries of one step. */
function drawSynthetic(context: CanvasRenderingContext2D, scene: BarScene, node: number, middle: number): void {
  const { type } = scene.tree.synthetic[node - scene.tree.spanCount];
  const bar = barAt(scene.axis, scene.tree.start[node], shownEnd(scene, node));
  if (!bar) return drawPointer(context, scene, node, middle);
  context.globalAlpha = scene.matches !== null && !hasMatch(scene.tree, scene.matches, node) ? DIMMED : 1;
  if (type === 'missing') outline(context, bar, middle - BAR / 2, scene.palette.ink3);
  else drawFolded(context, scene, node, bar, middle);
  context.globalAlpha = 1;
}

function drawFolded(context: CanvasRenderingContext2D, scene: BarScene, node: number, bar: Bar, middle: number): void {
  const open = scene.laneOf(node) === null;
  drawGroup(context, scene, node, bar, middle, open);
  if (open) return;
  drawPath(context, scene, node, middle);
  drawLabel(context, scene, node, bar, middle);
}

/** The stretches of the critical path that a row stands for, along the bar's lower edge. */
function drawPath(context: CanvasRenderingContext2D, scene: BarScene, node: number, middle: number): void {
  const { path, now } = scene;
  context.fillStyle = scene.palette.ink;
  let reached = -Infinity;
  for (const [start, end] of passages(scene, node)) {
    const bar = barAt(scene.axis, start, Math.min(end, Math.max(now, start)));
    if (!bar || path.nodes.length === 0 || bar.x + bar.width <= reached) continue; // thousands may lie in one pixel
    context.fillRect(bar.x, middle + BAR / 2 - 2, bar.width, 2);
    reached = bar.x + bar.width;
  }
}

/** Of an open row its own segments; of a folded one also what passes through inside it. */
function* passages(scene: BarScene, node: number): Generator<Passage> {
  const { path, tree } = scene;
  if (node < tree.spanCount && scene.laneOf(node) === null) {
    for (const i of segmentsOf(path, node)) yield [path.starts[i], path.ends[i]];
    return;
  }
  const until = node < tree.spanCount ? tree.place[node] + 1 : tree.place[node] + tree.size[node];
  for (let i = tree.place[node]; i < until; i++) {
    const one = tree.preorder[i];
    const passage = one === node || tree.parent[one] === node ? passageOf(path, one) : null;
    if (passage) yield passage;
  }
}

/** A ring around what is above the selected span, dashed around what it links to. */
function drawTrace(context: CanvasRenderingContext2D, scene: BarScene, row: number, bar: Bar, middle: number): void {
  const trace = scene.traced.get(row);
  if (!trace) return;
  context.strokeStyle = scene.palette.accent;
  context.lineWidth = 1.5;
  if (trace === 'linked') context.setLineDash([3, 2]);
  context.beginPath();
  context.roundRect(bar.x - 1.5, middle - BAR / 2 - 1.5, bar.width + 3, BAR + 3, 3);
  context.stroke();
  context.setLineDash([]);
}

function drawLabel(context: CanvasRenderingContext2D, scene: BarScene, node: number, of: Bar, middle: number): void {
  // A count of events may stick out of a narrow bar: the label makes room for it.
  const bar = of.width < COUNTED_PX && node < scene.tree.spanCount && scene.dotsOf(node) ? { x: of.x, width: COUNTED_PX - LABEL_GAP } : of;
  const text = durationText(scene, node);
  const isSpan = node < scene.tree.spanCount;
  const hatched = isSpan && (endIsUnknown(scene, node) || isHuman(scene, node));
  const opaque = isSpan && !hatched && scene.laneOf(node) === null && scene.dotsOf(node) === null;
  const width = context.measureText(text).width;
  const bounds = scene.axis.width;
  let place = labelPlace(bar, width, bounds, LABEL_GAP);
  // Hatching, events or the inside of a folded row are no ground for text.
  if (place === 'inside' && !opaque) place = bar.x - LABEL_GAP - width >= 0 ? 'left' : 'none';
  if (place === 'none') return;
  context.fillStyle = scene.palette.ink2;
  if (place === 'right') context.fillText(text, bar.x + bar.width + LABEL_GAP, middle + 0.5);
  else if (place === 'left') context.fillText(text, bar.x - LABEL_GAP - width, middle + 0.5);
  else {
    // An open bar is painted faintly, so the page's own ink reads on it in both themes.
    context.fillStyle = scene.store.isRunning(node) ? scene.palette.ink : scene.palette.bg;
    context.fillText(text, Math.min(bar.x + bar.width, bounds) - LABEL_GAP - width, middle - 0.5);
  }
}

function durationText(scene: BarScene, node: number): string {
  const { store, tree } = scene;
  const ms = (shownEnd(scene, node) - tree.start[node]) / 1e6;
  if (!Number.isNaN(tree.end[node])) return formatDuration(ms);
  if (scene.runEnd === null) return formatTicking(ms);
  return node < tree.spanCount && store.isRunning(node) ? 'not ended' : formatDuration(ms);
}

/** A small arrow at the edge towards a bar that lies outside the window. */
function drawPointer(context: CanvasRenderingContext2D, scene: BarScene, node: number, middle: number): void {
  const { width, view } = scene.axis;
  const later = scene.tree.start[node] > view.end;
  const [tip, base] = later ? [width - 3, width - 8] : [3, 8];
  context.fillStyle = node < scene.tree.spanCount ? colourOf(scene, node) : scene.palette.ink3;
  context.beginPath();
  context.moveTo(tip, middle);
  context.lineTo(base, middle - 3.5);
  context.lineTo(base, middle + 3.5);
  context.fill();
}
