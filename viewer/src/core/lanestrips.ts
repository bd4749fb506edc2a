/** What to paint of a lane: wide spans alone, narrow neighbours as one strip in the colour of most of their time. */

import { LONGEST_STRIP_PX, MERGE_BELOW_PX } from './bars';
import { lastStartedIn, type LaneMap } from './lanes';
import type { Tree } from './tree';

/** Where times lie on screen. */
export interface TimeScale {
  readonly view: { readonly start: number; readonly end: number };
  readonly width: number;
  toX(time: number): number;
}

/** node: the span, -1 for a strip of several. colour: -1 where no colour has most of a strip. */
export type EmitStrip = (from: number, to: number, colour: number, node: number) => void;

/** A colour must fill so much of a strip's covered time to stand for it. */
const LEADING_SHARE = 0.6;

export interface LaneScene {
  readonly map: LaneMap;
  readonly tree: Tree;
  readonly scale: TimeScale;
  /** Where spans that run end. */
  readonly now: number;
  /** A small number for each node's colour. */
  readonly colourOf: (node: number) => number;
  readonly colours: number;
}

/** Walks lanes and emits whole pixels; keeps one strip open at a time, so that no objects are made. */
export class LaneScanner {
  /** Of the open strip, the time of each colour in it, and which these are. */
  private readonly time: Float64Array;
  private readonly used: number[] = [];
  private from = 0;
  private to = 0;
  private total = 0;
  private only = -1;

  constructor(
    private readonly scene: LaneScene,
    private readonly emit: EmitStrip,
  ) {
    this.time = new Float64Array(scene.colours);
  }

  scan(lane: number): void {
    const { map, tree, scale, now } = this.scene;
    const { nodes, first } = map;
    const { start: starts, end: ends } = tree;
    const { start, end } = scale.view;
    const last = first[lane + 1];
    for (let i = Math.max(lastStartedIn(map, tree, lane, start), first[lane]); i < last; i++) {
      const node = nodes[i];
      const begin = starts[node];
      if (begin > end) break;
      const until = ends[node] === ends[node] ? ends[node] : Math.max(now, begin); // NaN while it runs
      if (until >= start) this.take(node, scale.toX(begin), scale.toX(until), until - begin);
    }
    this.flush();
  }

  private take(node: number, left: number, right: number, duration: number): void {
    const last = this.scene.scale.width;
    const from = Math.min(Math.max(Math.floor(left), 0), last - 1);
    const to = Math.max(Math.min(Math.ceil(right), last), from + 1);
    if (right - left > MERGE_BELOW_PX) {
      this.flush();
      this.emit(from, to, this.scene.colourOf(node), node);
      return;
    }
    if (this.total > 0 && (from > this.to || this.to - this.from >= LONGEST_STRIP_PX)) this.flush();
    this.add(node, from, to, Math.max(duration, 1));
  }

  private add(node: number, from: number, to: number, duration: number): void {
    this.only = this.total === 0 ? node : -1;
    if (this.total === 0) [this.from, this.to] = [from, to];
    if (to > this.to) this.to = to;
    this.total += duration;
    const colour = this.scene.colourOf(node);
    if (this.time[colour] === 0) this.used.push(colour);
    this.time[colour] += duration;
  }

  private flush(): void {
    if (this.total === 0) return;
    let leader = -1;
    for (const colour of this.used) {
      if (this.time[colour] >= LEADING_SHARE * this.total) leader = colour;
      this.time[colour] = 0;
    }
    this.used.length = 0;
    this.emit(this.from, this.to, leader, this.only);
    this.total = 0;
  }
}

/** Drops what is closer than `apart` to the one before; ascending in and out. */
export function thinned(places: readonly number[], apart: number): number[] {
  const kept: number[] = [];
  for (const place of places) if (kept.length === 0 || place - kept[kept.length - 1] >= apart) kept.push(place);
  return kept;
}
