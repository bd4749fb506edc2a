/** What lanes show besides spans: waits between the tries of one step, and what is known of the marks on a span. */

import type { EventDots } from './eventmarks';
import { plural } from './format';
import { FAILED } from './kinds';
import { lastStartedIn, type LaneMap } from './lanes';
import type { SpanStore } from './spans';
import type { Tree } from './tree';
import { waitsBetween, type Wait } from './waits';

/** A wait in the lane of the try that it led to. */
export interface LaneWait extends Wait {
  readonly lane: number;
  /** Where drawing begins: at the wait's start, or later where another span has the lane until then. */
  readonly from: number;
}

/** Every wait that has room in its lane, lane by lane and in order of time. */
export function waitsInLanes(map: LaneMap, tree: Tree, store: SpanStore): LaneWait[] {
  const found: LaneWait[] = [];
  for (let node = tree.spanCount; node < tree.nodeCount; node++) {
    if (tree.synthetic[node - tree.spanCount].type !== 'attempts') continue;
    for (const wait of waitsBetween(membersOf(tree, node), store, tree)) {
      const lane = map.laneOf[wait.next];
      const from = Math.max(wait.start, lane < 0 ? Infinity : freeFrom(map, tree, wait.next));
      if (from < wait.end) found.push({ ...wait, lane, from });
    }
  }
  return found.sort((a, b) => a.lane - b.lane || a.start - b.start);
}

/** Failed spans lane by lane, each lane in order of their start; those of lane i are at [first[i], first[i + 1]). */
export interface LaneFailures {
  readonly nodes: readonly number[];
  readonly first: readonly number[];
}

/** Few spans fail: found once, they need not be looked for among all others in every frame. */
export function failuresInLanes(map: LaneMap, tree: Tree, store: SpanStore): LaneFailures {
  const nodes: number[] = [];
  const first = [0];
  for (let lane = 0; lane < map.count; lane++) {
    for (let i = map.first[lane]; i < map.first[lane + 1]; i++) {
      if (map.nodes[i] < tree.spanCount && store.status[map.nodes[i]] === FAILED) nodes.push(map.nodes[i]);
    }
    first.push(nodes.length);
  }
  return { nodes, first };
}

/** The nodes right below a group, in order. */
export function membersOf(tree: Tree, group: number): number[] {
  const inside = tree.preorder.subarray(tree.place[group] + 1, tree.place[group] + tree.size[group]);
  return Array.from(inside).filter((member) => tree.parent[member] === group);
}

/** When the span before a node in its lane ended. */
function freeFrom(map: LaneMap, tree: Tree, node: number): number {
  const lane = map.laneOf[node];
  const place = lastStartedIn(map, tree, lane, tree.start[node]);
  if (place === map.first[lane]) return -Infinity;
  const end = tree.end[map.nodes[place - 1]];
  return Number.isNaN(end) ? Infinity : end;
}

/** The wait of a lane at a time. slack: how far away it may be, in nanoseconds. */
export function waitAt(waits: readonly LaneWait[], lane: number, time: number, slack: number): LaneWait | null {
  return waits.find((wait) => wait.lane === lane && time >= wait.from - slack && time <= wait.end + slack) ?? null;
}

/** What is marked on a span, in words: its checkpoints, its events, and the gravest of them. */
export function marksText(checkpoints: readonly number[], dots: EventDots | null): string[] {
  const events = dots?.times.length ?? 0;
  const errors = dots?.weights.filter((weight) => weight === 'error').length ?? 0;
  const warnings = dots?.weights.filter((weight) => weight === 'warning').length ?? 0;
  const grave = [errors && plural(errors, 'error'), warnings && plural(warnings, 'warning')].filter(Boolean).join(', ');
  return [
    checkpoints.length > 0 ? plural(checkpoints.length, 'checkpoint') : '',
    events > 0 ? `${plural(events, 'event')}${grave ? ` (${grave})` : ''}` : '',
  ].filter(Boolean);
}

/** The time of the mark nearest to a place on screen; null when none is within reach. */
export function markNear(times: readonly number[], toX: (time: number) => number, x: number, reach: number): number | null {
  let [best, least] = [null as number | null, reach];
  for (const time of times) {
    const away = Math.abs(toX(time) - x);
    if (away <= least) [best, least] = [time, away];
  }
  return best;
}
