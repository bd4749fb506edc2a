/** A task's attempts side by side on one axis: when each was queued, waited for its turn, and ran. */

import { foldedAxis, type FoldedAxis } from './foldedaxis';
import type { Attempt } from './task';
import { isoToMs } from './time';

export type SegmentKind = 'backoff' | 'queued' | 'starting' | 'run';

/** A stretch of a row. open: it goes on; its end is now. */
export interface Segment {
  readonly kind: SegmentKind;
  readonly start: number;
  readonly end: number;
  readonly open: boolean;
}

export interface AttemptRow {
  readonly attempt: Attempt;
  readonly segments: readonly Segment[];
}

export interface AttemptTimeline {
  /** Oldest first. */
  readonly rows: readonly AttemptRow[];
  /** What goes on after the last attempt: waiting for a time, then for a worker. */
  readonly upcoming: readonly Segment[];
  readonly start: number;
  readonly end: number;
  readonly axis: FoldedAxis;
}

export interface TimelineTask {
  readonly created_at: string;
  readonly run_at: string | null;
  readonly status: string;
  readonly next_run_at: string | null;
  readonly finished_at: string | null;
}

/** Times in milliseconds since the epoch. */
export function layoutAttempts(task: TimelineTask, attempts: readonly Attempt[], nowMs: number): AttemptTimeline {
  const ordered = [...attempts].sort((a, b) => a.attempt - b.attempt);
  const created = isoToMs(task.created_at);
  const rows = ordered.map((attempt, index) => rowOf(attempt, previousOf(ordered, index), task, nowMs));
  const upcoming = upcomingOf(task, ordered.at(-1) ?? null, nowMs);
  const segments = [...rows.flatMap((row) => row.segments), ...upcoming];
  const end = segments.reduce((latest, segment) => Math.max(latest, segment.end), created + 1);
  const start = segments.reduce((earliest, segment) => Math.min(earliest, segment.start), created);
  const busy = segments.filter((segment) => segment.kind === 'run' || segment.kind === 'starting');
  return { rows, upcoming, start, end, axis: foldedAxis(busy, start, end) };
}

/** The attempt before this one, of the same agent where several work in parallel. */
function previousOf(ordered: readonly Attempt[], index: number): Attempt | null {
  const { agent } = ordered[index];
  for (let i = index - 1; i >= 0; i--) if (ordered[i].agent === agent || agent === null) return ordered[i];
  return null;
}

function rowOf(attempt: Attempt, before: Attempt | null, task: TimelineTask, nowMs: number): AttemptRow {
  const leased = isoToMs(attempt.leased_at);
  const started = attempt.started_at === null ? null : isoToMs(attempt.started_at);
  const open = attempt.ended_at === null;
  const end = attempt.ended_at === null ? Math.max(nowMs, leased) : isoToMs(attempt.ended_at);
  const segments = [
    ...waits(before, task, leased),
    segment('starting', leased, started ?? end, open && started === null),
    ...(started === null ? [] : [segment('run', started, end, open)]),
  ];
  return { attempt, segments: segments.filter((part) => part.end > part.start || part.kind === 'run' || part.open) };
}

/** Backoff, then the queue, up to `until`. */
function waits(before: Attempt | null, task: TimelineTask, until: number): Segment[] {
  const from = before?.ended_at ? isoToMs(before.ended_at) : Math.max(isoToMs(task.created_at), timeOr(task.run_at, -Infinity, until));
  const ready = before ? timeOr(before.retry_at, from, until) : from;
  return [segment('backoff', from, ready, false), segment('queued', ready, until, false)].filter((part) => part.end > part.start);
}

// A time after `most` cannot have delayed what happened at `most`: the delay was cut short by hand.
function timeOr(time: string | null, otherwise: number, most: number): number {
  return time === null ? otherwise : Math.min(isoToMs(time), most);
}

function upcomingOf(task: TimelineTask, last: Attempt | null, nowMs: number): Segment[] {
  if (task.status !== 'pending' || last?.ended_at === null) return [];
  const from = last?.ended_at ? isoToMs(last.ended_at) : isoToMs(task.created_at);
  const due = task.next_run_at === null ? from : Math.max(isoToMs(task.next_run_at), from);
  const parts = [segment('backoff', from, due, due > nowMs), segment('queued', due, nowMs, true)];
  return parts.filter((part) => part.end > part.start);
}

function segment(kind: SegmentKind, start: number, end: number, open: boolean): Segment {
  return { kind, start, end: Math.max(start, end), open };
}
