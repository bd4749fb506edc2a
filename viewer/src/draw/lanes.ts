/** Paints lanes: the whole run, or the part of it that the window and the scroll position show. */

import type { EventDots } from '../core/eventmarks';
import { RUNNING } from '../core/kinds';
import type { LaneFailures, LaneWait } from '../core/lanemarks';
import type { LaneMap } from '../core/lanes';
import { LaneScanner, thinned, type TimeScale } from '../core/lanestrips';
import type { LeadIn } from '../core/leadin';
import type { Bar } from '../core/bars';
import type { SpanStore } from '../core/spans';
import type { Tick } from '../core/ticks';
import type { Tree } from '../core/tree';
import { barBox, drawLaneCheckpoints, drawLaneLeadIn, drawLaneWaits, LABEL_FROM_LANE, LaneDots, LaneHatches } from './lanemarks';
import type { Palette } from './palette';
import { endIsUnknown } from './scene';
import { isHuman } from './spanbar';

export interface LanesScene {
  readonly store: SpanStore;
  readonly tree: Tree;
  readonly map: LaneMap;
  readonly scale: TimeScale;
  readonly laneHeight: number;
  readonly scrollTop: number;
  readonly height: number;
  readonly now: number;
  readonly live: boolean;
  /** When the run ended; null while it runs. */
  readonly runEnd: number | null;
  readonly ticks: readonly Tick[];
  readonly palette: Palette;
  /** What colours mean: the colour of each number, and each node's number. */
  readonly colours: readonly string[];
  readonly colourOf: (node: number) => number;
  readonly matches: Uint8Array | null;
  readonly selected: number;
  readonly hovered: number;
  readonly waits: readonly LaneWait[];
  readonly failures: LaneFailures;
  /** What came before the run, and the row of the span that it led to. */
  readonly leadIn: readonly LeadIn[];
  readonly root: number;
  /** Checkpoints of a span, in the store's nanoseconds. */
  readonly checkpoints: ReadonlyMap<number, readonly number[]>;
  readonly dotsOf: (row: number) => EventDots | null;
}

/** A name needs a bar this wide. */
const LABEL_FROM_PX = 34;
const ERROR_APART_PX = 3;
/** What holds other spans is painted lighter, so that work stands out from what waits for it. */
const AROUND = 0.42;
const LABELLED = 0.24;
const OTHERS = 0.22;
/** A bar needs this width for marks of its own. */
const MARKS_FROM_PX = 6;
/** What is not finished, and what is a wait for a person, is painted lighter. */
const UNFINISHED = 0.55;
const WAITING = 0.16;

interface Batch {
  readonly style: string;
  readonly alpha: number;
  readonly rects: number[];
}

/** Rectangles by colour: setting a colour costs more than filling a rectangle. */
class Batches {
  private readonly byStyle = new Map<string, Batch>();
  private last: Batch | null = null; // neighbours are often alike

  add(style: string, alpha: number, x: number, y: number, width: number, height: number): void {
    if (this.last?.style !== style || this.last.alpha !== alpha) this.last = this.batchOf(style, alpha);
    this.last.rects.push(x, y, width, height);
  }

  private batchOf(style: string, alpha: number): Batch {
    const key = style + alpha;
    let batch = this.byStyle.get(key);
    if (!batch) this.byStyle.set(key, (batch = { style, alpha, rects: [] }));
    return batch;
  }

  paint(context: CanvasRenderingContext2D): void {
    for (const { style, alpha, rects } of this.byStyle.values()) {
      context.fillStyle = style;
      context.globalAlpha = alpha;
      for (let i = 0; i < rects.length; i += 4) context.fillRect(rects[i], rects[i + 1], rects[i + 2], rects[i + 3]);
    }
    context.globalAlpha = 1;
  }
}

export function drawLanes(context: CanvasRenderingContext2D, scene: LanesScene): void {
  drawGrid(context, scene);
  const painter = new LanesPainter(context, scene);
  const first = Math.max(0, Math.floor(scene.scrollTop / scene.laneHeight));
  const last = Math.min(scene.map.count, Math.ceil((scene.scrollTop + scene.height) / scene.laneHeight));
  for (let lane = first; lane < last; lane++) painter.lane(lane);
  painter.finish();
  if (scene.live) drawNow(context, scene);
  outline(context, scene, scene.hovered, scene.palette.ink2, 1);
  outline(context, scene, scene.selected, scene.palette.accent, 2);
}

class LanesPainter {
  private readonly bars = new Batches();
  private readonly marks = new Batches();
  private readonly hatches = new LaneHatches();
  private readonly dots: LaneDots;
  private readonly scanner: LaneScanner;
  private readonly labels: { node: number; from: number; to: number; top: number; height: number }[] = [];
  private errors: number[] = [];
  private top = 0;
  private height = 0;

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly scene: LanesScene,
  ) {
    this.dots = new LaneDots(scene);
    const { map, tree, scale, now, colourOf, colours } = scene;
    this.scanner = new LaneScanner({ map, tree, scale, now, colourOf, colours: colours.length }, (from, to, colour, node) =>
      this.strip(from, to, colour, node),
    );
  }

  lane(lane: number): void {
    ({ top: this.top, height: this.height } = barBox(lane, this.scene.laneHeight, this.scene.scrollTop));
    this.errors = [];
    this.scanner.scan(lane);
    this.collectErrors(lane);
    for (const x of thinned(this.errors, ERROR_APART_PX)) {
      this.marks.add(this.scene.palette.error, 1, x, this.top - 1, 2, Math.min(3, Math.max(2, this.height)));
    }
  }

  finish(): void {
    const { context, scene } = this;
    this.bars.paint(context);
    this.hatches.paint(context);
    this.marks.paint(context);
    drawLaneWaits(context, scene);
    drawLaneLeadIn(context, scene);
    this.drawLabels();
    this.dots.paint(context);
    drawLaneCheckpoints(context, scene);
  }

  private strip(from: number, to: number, colour: number, node: number): void {
    const { palette, colours, tree, matches } = this.scene;
    const style = colour < 0 ? palette.ink3 : colours[colour];
    const labelled = node >= 0 && this.scene.laneHeight >= LABEL_FROM_LANE && to - from >= LABEL_FROM_PX;
    const dim = matches !== null && (node < 0 || node >= tree.spanCount || matches[node] !== 1) ? OTHERS : 1;
    const human = to - from >= MARKS_FROM_PX && node >= 0 && node < tree.spanCount && isHuman(this.scene, node);
    const alpha = human ? WAITING : labelled ? LABELLED : node >= 0 && tree.size[node] > 1 ? AROUND : this.isOpen(node) ? UNFINISHED : 1;
    // A pixel between neighbours, so that one after the other does not read as one.
    const width = to - from >= 4 ? to - from - 1 : to - from;
    this.bars.add(style, alpha * dim, from, this.top, width, this.height);
    if (dim === 1 && node >= 0 && node < tree.spanCount && width >= MARKS_FROM_PX) this.mark(node, { x: from, width }, style, human, labelled);
    if (!labelled) return;
    this.bars.add(style, dim, from, this.top, 2, this.height);
    if (dim === 1) this.labels.push({ node, from, to, top: this.top, height: this.height });
  }

  private isOpen(node: number): boolean {
    const { store, tree, runEnd } = this.scene;
    return node >= 0 && node < tree.spanCount && runEnd === null && store.status[node] === RUNNING;
  }

  /** What a span says besides its time: a wait for a person, an end that is not known, work that goes on, events. */
  private mark(node: number, bar: Bar, style: string, human: boolean, labelled: boolean): void {
    const { scene, top, height } = this;
    const { scale, tree, now, palette } = scene;
    if (human) this.hatches.wait(bar, top, height, style, labelled);
    const end = Number.isNaN(tree.end[node]) ? now : tree.end[node];
    const endsHere = end <= scale.view.end;
    if (endsHere && endIsUnknown(scene, node)) this.hatches.unknownEnd(bar, top, height, palette.bg);
    if (endsHere && this.isOpen(node)) this.marks.add(style, 1, bar.x + bar.width - 2, top, 2, height);
    this.notch(node, bar);
    this.dots.take(node, top, height, labelled);
  }

  /** When a model's first token came. Drawn times may be shifted against recorded ones; it moves with its span. */
  private notch(node: number, bar: Bar): void {
    const { store, tree, scale, palette } = this.scene;
    const x = scale.toX(store.firstToken[node] + tree.start[node] - store.start[node]);
    if (x > bar.x + 2 && x < bar.x + bar.width - 1) this.marks.add(palette.bg, 1, Math.round(x), this.top, 1, this.height);
  }

  /** Errors do not colour strips: each has a tick of its own where it ended. */
  private collectErrors(lane: number): void {
    const { failures, tree, scale } = this.scene;
    for (let i = failures.first[lane]; i < failures.first[lane + 1]; i++) {
      const x = scale.toX(tree.end[failures.nodes[i]]);
      if (x >= 0 && x <= scale.width + 2) this.errors.push(Math.max(0, Math.round(x) - 2));
    }
  }

  private drawLabels(): void {
    const { context, scene } = this;
    context.font = `500 11px ${scene.palette.font}`;
    context.textBaseline = 'middle';
    context.fillStyle = scene.palette.ink;
    for (const { node, from, to, top, height } of this.labels) {
      const text = fitText(context, nodeName(scene, node), to - from - 12);
      if (text) context.fillText(text, from + 6, top + height / 2 + 0.5);
    }
  }
}

function nodeName({ store, tree }: LanesScene, node: number): string {
  return node < tree.spanCount ? store.nameOf(node) : 'parent not received';
}

const ELLIPSIS = '…';

/** As much of a text as fits with an ellipsis; nothing when that would be less than three letters. */
function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, Math.min(text.length, Math.ceil(width / 3))];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(text.slice(0, middle) + ELLIPSIS).width <= width) low = middle;
    else high = middle - 1;
  }
  return low < 3 ? '' : text.slice(0, low) + ELLIPSIS;
}

function drawGrid(context: CanvasRenderingContext2D, { ticks, scale, height, palette }: LanesScene): void {
  context.fillStyle = palette.line;
  for (const { time } of ticks) context.fillRect(Math.round(scale.toX(time)), 0, 1, height);
}

function drawNow(context: CanvasRenderingContext2D, { scale, now, height, palette }: LanesScene): void {
  const x = Math.round(scale.toX(now));
  if (x < 0 || x > scale.width) return;
  context.fillStyle = palette.accent;
  context.fillRect(x, 0, 1, height);
}

function outline(context: CanvasRenderingContext2D, scene: LanesScene, node: number, style: string, width: number): void {
  const lane = node < 0 ? -1 : (scene.map.laneOf[node] ?? -1);
  if (lane < 0) return;
  const { tree, scale } = scene;
  const { top, height } = barBox(lane, scene.laneHeight, scene.scrollTop);
  const left = Math.max(scale.toX(tree.start[node]), -width - 2);
  const right = Math.min(scale.toX(Number.isNaN(tree.end[node]) ? scene.now : tree.end[node]), scale.width + width + 2);
  if (right < 0 || left > scale.width || top + height < 0 || top > scene.height) return;
  context.strokeStyle = style;
  context.lineWidth = width;
  context.strokeRect(left - width / 2, top - width / 2, Math.max(right - left, 3) + width, Math.max(height, 3) + width);
}
