/**
 * A time axis on which long stretches without anything happening take little room.
 *
 * Attempts of seconds with an hour of waiting between them would be slivers; where waiting makes up most of the time,
 * each long wait gets a fixed share of the axis instead. The axis stays monotone, and can be read both ways.
 */

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface FoldedAxis {
  /** Stretches that take less room than their time. */
  readonly folds: readonly Stretch[];
  /** Place of a time, 0 to 1. */
  place(time: number): number;
  /** Time of a place. */
  time(place: number): number;
}

const LEAST_FOLD_MS = 5_000;
const LEAST_FOLD_SHARE = 0.05;
const MOSTLY_IDLE = 0.6;
/** What a fold takes of the axis, and what all of them may take together. */
const FOLD_SHARE = 0.04;
const ALL_FOLDS_SHARE = 0.4;

/** The stretches of [start, end] that none of `busy` covers, in order. */
export function idleStretches(busy: readonly Stretch[], start: number, end: number): Stretch[] {
  const idle: Stretch[] = [];
  let reached = start;
  for (const stretch of [...busy].sort((a, b) => a.start - b.start)) {
    if (stretch.start > reached) idle.push({ start: reached, end: Math.min(stretch.start, end) });
    reached = Math.max(reached, stretch.end);
  }
  if (reached < end) idle.push({ start: reached, end });
  return idle.filter((stretch) => stretch.end > stretch.start);
}

/** Which idle stretches to fold: the long ones, when idleness is most of the whole. */
export function foldsOf(idle: readonly Stretch[], whole: number): Stretch[] {
  const sum = idle.reduce((total, stretch) => total + stretch.end - stretch.start, 0);
  if (sum <= whole * MOSTLY_IDLE) return [];
  const least = Math.max(LEAST_FOLD_MS, whole * LEAST_FOLD_SHARE);
  return idle.filter((stretch) => stretch.end - stretch.start > least);
}

export function foldedAxis(busy: readonly Stretch[], start: number, end: number): FoldedAxis {
  const whole = Math.max(end - start, 1);
  const folds = foldsOf(idleStretches(busy, start, end), whole);
  const foldShare = Math.min(FOLD_SHARE, ALL_FOLDS_SHARE / Math.max(folds.length, 1));
  const folded = folds.reduce((total, fold) => total + fold.end - fold.start, 0);
  // Where everything is folded there is no busy time to give the rest of the axis to.
  const scale = (1 - foldShare * folds.length) / Math.max(whole - folded, 1e-9);
  const knots = knotsOf(folds, start, start + whole, foldShare, whole - folded > 1e-9 ? scale : 0);
  return {
    folds,
    place: (time) => between(knots, time, (knot) => knot.time, (knot) => knot.place),
    time: (place) => between(knots, place, (knot) => knot.place, (knot) => knot.time),
  };
}

interface Knot {
  readonly time: number;
  readonly place: number;
}

function knotsOf(folds: readonly Stretch[], start: number, end: number, foldShare: number, scale: number): Knot[] {
  const knots: Knot[] = [{ time: start, place: 0 }];
  const add = (time: number, room: number) => knots.push({ time, place: (knots.at(-1) as Knot).place + room });
  for (const fold of folds) {
    const before = fold.start - (knots.at(-1) as Knot).time;
    if (before > 0) add(fold.start, before * scale);
    add(fold.end, foldShare);
  }
  const rest = end - (knots.at(-1) as Knot).time;
  if (rest > 0) add(end, rest * scale);
  const last = (knots.at(-1) as Knot).place;
  return knots.map((knot) => ({ time: knot.time, place: knot.place / last }));
}

function between(knots: readonly Knot[], at: number, key: (knot: Knot) => number, value: (knot: Knot) => number): number {
  let i = 1;
  while (i < knots.length - 1 && key(knots[i]) < at) i++;
  const [low, high] = [knots[i - 1], knots[i]];
  const share = (at - key(low)) / (key(high) - key(low));
  return value(low) + Math.min(Math.max(share, 0), 1) * (value(high) - value(low));
}
