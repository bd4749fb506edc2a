/** What a frame of the waterfall shows; painters read it and keep nothing. */

import type { Area, Gap } from '../core/area';
import type { Axis } from '../core/axis';
import type { Lane } from '../core/bars';
import type { CriticalPath } from '../core/criticalpath';
import type { EventDots } from '../core/eventmarks';
import type { LeadIn } from '../core/leadin';
import { LOST, RUNNING } from '../core/kinds';
import type { SpanStore } from '../core/spans';
import type { Tick } from '../core/ticks';
import type { Tree } from '../core/tree';
import type { Palette } from './palette';

export const BAR = 12;
export const LABEL_GAP = 6;
export const DIMMED = 0.25;

export interface BarScene {
  readonly store: SpanStore;
  readonly tree: Tree;
  readonly rows: Int32Array;
  readonly first: number;
  readonly count: number;
  readonly scrollTop: number;
  readonly rowHeight: number;
  readonly height: number;
  readonly axis: Axis;
  readonly ticks: readonly Tick[];
  /** The collector's clock, in the store's nanoseconds. */
  readonly now: number;
  /** When the run ended; null while it runs. Spans still open then were never ended. */
  readonly runEnd: number | null;
  readonly palette: Palette;
  /** Colours of bars, and which of them a span has. */
  readonly colours: readonly string[];
  readonly colourOf: (row: number) => number;
  readonly matches: Uint8Array | null;
  /** Checkpoints of a span, in the store's nanoseconds. */
  readonly checkpoints: ReadonlyMap<number, readonly number[]>;
  readonly dotsOf: (row: number) => EventDots | null;
  /** The spans inside a collapsed node, or null when it is open. */
  readonly laneOf: (node: number) => Lane | null;
  /** What came before the run, and the row of the span that it led to. */
  readonly leadIn: readonly LeadIn[];
  readonly root: number;
  readonly path: CriticalPath;
  /** The node that is hovered or selected, what is above it, and what it links to. */
  readonly traced: ReadonlyMap<number, 'chain' | 'linked'>;
  readonly area: Area | null;
  readonly gap: { readonly gap: Gap; readonly from: number; readonly to: number } | null;
}

/** Where a span ends on screen: its end, else now, else where its run ended. */
export function shownEnd(scene: Pick<BarScene, 'tree' | 'now' | 'runEnd'>, node: number): number {
  const end = scene.tree.end[node];
  if (!Number.isNaN(end)) return end;
  return Math.max(scene.runEnd ?? scene.now, scene.tree.start[node]);
}

/** Lost, or never ended although its run did. */
export function endIsUnknown({ store, runEnd }: Pick<BarScene, 'store' | 'runEnd'>, row: number): boolean {
  return store.status[row] === LOST || (store.status[row] === RUNNING && runEnd !== null);
}

/** The middle of a row on screen. */
export function rowMiddle(scene: BarScene, index: number): number {
  return index * scene.rowHeight - scene.scrollTop + scene.rowHeight / 2;
}

export function colourOf(scene: BarScene, row: number): string {
  return scene.colours[scene.colourOf(row)];
}
