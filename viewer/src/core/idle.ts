/** Stretches of a run in which no leaf span is at work, and which of them a time axis folds. */

import type { Stretch } from './foldedaxis';
import type { Tree } from './tree';

const LEAST_FOLD_NS = 5e9;
const LEAST_FOLD_SHARE = 0.02;
const MOSTLY_IDLE = 0.6;

export interface Idleness {
  /** Stretches long enough to be folded, in order. */
  readonly folds: readonly Stretch[];
  /** Part of the run that is idle, 0 to 1; short pauses count too. */
  readonly share: number;
  /** Nanoseconds that folding hides. */
  readonly hidden: number;
}

export const NOT_IDLE: Idleness = { folds: [], share: 0, hidden: 0 };

/** Folding shows more than it hides when most of a run is waiting. */
export function mostlyIdle(idleness: Idleness): boolean {
  return idleness.share > MOSTLY_IDLE && idleness.folds.length > 0;
}

/**
 * until: where the run ends; null for a run that goes on, whose last pause may yet end and is never folded.
 * A leaf without an end works on as far as anyone knows.
 */
export function idlenessOf(tree: Tree, until: number | null): Idleness {
  const leaves = leavesByStart(tree);
  const idle: Stretch[] = [];
  let reached = tree.firstStart;
  for (const row of leaves) {
    if (tree.start[row] > reached) idle.push({ start: reached, end: tree.start[row] });
    const end = Number.isNaN(tree.end[row]) ? (until ?? Infinity) : tree.end[row];
    if (end > reached) reached = end;
  }
  const last = until ?? tree.lastTime;
  if (until !== null && until > reached) idle.push({ start: reached, end: until });
  return summary(idle, Math.max(last - tree.firstStart, 1));
}

function summary(idle: readonly Stretch[], whole: number): Idleness {
  const least = Math.max(LEAST_FOLD_NS, whole * LEAST_FOLD_SHARE);
  const folds = idle.filter(({ start, end }) => end - start > least);
  return { folds, share: lengthOf(idle) / whole, hidden: lengthOf(folds) };
}

function lengthOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Spans without children, by start. */
function leavesByStart({ start, size, spanCount }: Tree): Int32Array {
  const leaves = new Int32Array(spanCount);
  let count = 0;
  let sorted = true;
  for (let row = 0; row < spanCount; row++) {
    if (size[row] > 1) continue;
    // Loads arrive by start, so there is rarely anything to sort.
    if (count > 0 && start[row] < start[leaves[count - 1]]) sorted = false;
    leaves[count++] = row;
  }
  const found = leaves.subarray(0, count);
  return sorted ? found : found.sort((a, b) => start[a] - start[b]);
}
