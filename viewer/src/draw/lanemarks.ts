/**
 * Paints the marks of lanes: hatches, waits, events and checkpoints, drawn as in the waterfall as far as a lane's height
 * allows. Hatches are batched, since a run that was lost may have thousands.
 */

import { clusters, type EventDots } from '../core/eventmarks';
import type { Bar } from '../core/bars';
import type { LaneWait } from '../core/lanemarks';
import type { LanesScene } from './lanes';
import { drawCount, drawDiamond, drawGauge, drawShape } from './marks';
import { BAR } from './scene';
import { diagonals, hairline, lastStretch } from './segments';

/** Names need a lane this high. */
export const LABEL_FROM_LANE = 15;
/** Bars lower than this have no room for shapes: their marks are upright strokes. */
const SHAPES_FROM = 8;
/** Checkpoints of a lane nearer than this are one diamond. */
const APART_PX = 5;
const GAUGE_FROM_PX = 16;

/** Top and height of a lane's bars, in whole pixels where lanes are that high. */
export function barBox(lane: number, laneHeight: number, scrollTop: number): { top: number; height: number } {
  const top = Math.round(lane * laneHeight - scrollTop);
  const gap = laneHeight >= 6 ? 2 : laneHeight >= 3 ? 1 : 0;
  return { top, height: Math.max(1, Math.round((lane + 1) * laneHeight - scrollTop) - top - gap) };
}

interface Hatch {
  readonly style: string;
  readonly alpha: number;
  readonly lineWidth: number;
  readonly lines: Path2D;
  /** Where bars are too low for diagonals: upright strokes. */
  readonly strokes: number[];
}

export class LaneHatches {
  private readonly kinds = new Map<string, Hatch>();

  /** Waiting for a person is no work. The name on the bar stays readable. */
  wait(bar: Bar, top: number, height: number, style: string, labelled: boolean): void {
    this.add(bar, top, height, this.kind(style, labelled ? 0.35 : 0.9, 1.5));
  }

  /** Cuts through the last stretch of a bar whose end is not known. */
  unknownEnd(bar: Bar, top: number, height: number, ground: string): void {
    this.add(lastStretch(bar), top, height, this.kind(ground, 1, 2));
  }

  paint(context: CanvasRenderingContext2D): void {
    for (const { style, alpha, lineWidth, lines, strokes } of this.kinds.values()) {
      [context.strokeStyle, context.fillStyle, context.globalAlpha, context.lineWidth] = [style, style, alpha, lineWidth];
      context.stroke(lines);
      for (let i = 0; i < strokes.length; i += 3) context.fillRect(strokes[i], strokes[i + 1], 1, strokes[i + 2]);
    }
    context.globalAlpha = 1;
  }

  private kind(style: string, alpha: number, lineWidth: number): Hatch {
    const key = `${style} ${alpha}`;
    let kind = this.kinds.get(key);
    if (!kind) this.kinds.set(key, (kind = { style, alpha, lineWidth, lines: new Path2D(), strokes: [] }));
    return kind;
  }

  private add(bar: Bar, top: number, height: number, { lines, strokes }: Hatch): void {
    if (height >= 4) return diagonals(lines, bar, top, height);
    for (let x = Math.ceil(bar.x) + 1; x < bar.x + bar.width; x += 3) strokes.push(x, top, height);
  }
}

/** Events of bars, painted above names. */
export class LaneDots {
  private readonly taken: { dots: EventDots; top: number; height: number; labelled: boolean }[] = [];

  constructor(private readonly scene: LanesScene) {}

  take(node: number, top: number, height: number, labelled: boolean): void {
    const dots = this.scene.dotsOf(node);
    if (dots) this.taken.push({ dots, top, height, labelled });
  }

  paint(context: CanvasRenderingContext2D): void {
    const { scale, palette } = this.scene;
    for (const { dots, top, height, labelled } of this.taken) {
      // Below a name there is room for shapes, but not for counts.
      const middle = labelled ? top + height - 3 : top + height / 2;
      for (const mark of clusters(dots, scale.toX, scale.width)) {
        if (height < SHAPES_FROM) {
          context.fillStyle = mark.weight === 'error' ? palette.error : mark.weight === 'warning' ? palette.warn : palette.ink;
          context.fillRect(Math.round(mark.x) - 1, top, 2, height);
        } else if (mark.count > 1 && !labelled && height >= BAR) drawCount(context, palette, mark, middle);
        else drawShape(context, palette, mark, middle);
      }
    }
  }
}

export function drawLaneCheckpoints(context: CanvasRenderingContext2D, scene: LanesScene): void {
  const { map, scale, laneHeight, scrollTop, height, palette } = scene;
  const placed = new Set<string>();
  for (const [row, times] of scene.checkpoints) {
    const lane = map.laneOf[row] ?? -1;
    const box = barBox(lane, laneHeight, scrollTop);
    if (lane < 0 || box.top + box.height < 0 || box.top > height) continue;
    for (const time of times) {
      const x = scale.toX(time);
      const key = `${lane} ${Math.round(x / APART_PX)}`;
      if (x < -4 || x > scale.width + 4 || placed.has(key)) continue;
      placed.add(key);
      // At the lower edge where a lane is high enough for names, so that they stay readable.
      const middle = laneHeight >= LABEL_FROM_LANE ? box.top + box.height - 2 : box.top + box.height / 2;
      drawDiamond(context, palette, x, middle, Math.min(4, Math.max(2.5, box.height / 2)));
    }
  }
}

/** Between tries: dotted for a backoff, a line with a gauge where a limit had been hit. */
export function drawLaneWaits(context: CanvasRenderingContext2D, scene: LanesScene): void {
  const { scale, height, palette } = scene;
  for (const wait of scene.waits) {
    const middle = middleOf(scene, wait.lane);
    const [from, to] = [Math.max(scale.toX(wait.from), 0), Math.min(scale.toX(wait.end), scale.width)];
    if (middle < 0 || middle > height || to - from < 2) continue;
    hairline(context, from, to, middle, palette.ink3, wait.kind === 'backoff');
    if (hasGauge(scene, wait, to - from)) drawGauge(context, palette, (from + to) / 2, middle);
  }
}

const hasGauge = ({ laneHeight }: LanesScene, { kind }: LaneWait, width: number) => kind === 'limited' && width > GAUGE_FROM_PX && laneHeight >= BAR;

function middleOf({ laneHeight, scrollTop }: LanesScene, lane: number): number {
  const { top, height } = barBox(lane, laneHeight, scrollTop);
  return top + height / 2;
}

/** Before the run: the queue as a line, a delay dotted, a pause hatched. */
export function drawLaneLeadIn(context: CanvasRenderingContext2D, scene: LanesScene): void {
  const lane = scene.map.laneOf[scene.root] ?? -1;
  if (lane < 0) return;
  const { scale, palette } = scene;
  const { top, height } = barBox(lane, scene.laneHeight, scene.scrollTop);
  for (const { kind, start, end } of scene.leadIn) {
    const [from, to] = [Math.max(scale.toX(start), 0), Math.min(scale.toX(end), scale.width)];
    if (to - from < 1) continue;
    if (kind !== 'paused') hairline(context, from, to, top + height / 2, palette.ink3, kind === 'backoff');
    else hatchPause(context, { x: from, width: to - from }, top, height, palette.ink3);
  }
}

function hatchPause(context: CanvasRenderingContext2D, bar: Bar, top: number, height: number, style: string): void {
  context.strokeStyle = style;
  context.lineWidth = 1;
  context.beginPath();
  diagonals(context, bar, top, height);
  context.stroke();
}
