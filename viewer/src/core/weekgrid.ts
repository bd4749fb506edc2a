/** A week of a schedule as hours: what ran, runs, is planned, and what did not happen. */

import { fromWallTime, isoToMs, wallClock } from './time';

export type Mark = 'ran' | 'running' | 'failed' | 'skipped' | 'missed' | 'planned';

/** One hour of one day. counts: how many instants of each mark it holds. */
export interface HourCell {
  readonly day: number;
  readonly hour: number;
  readonly startMs: number;
  readonly counts: Readonly<Partial<Record<Mark, number>>>;
  readonly total: number;
}

export interface GridInstant {
  readonly nominal: string;
  /** Of the ledger; "planned" for one to come. */
  readonly status: string;
  readonly task_id?: string | null;
}

const DAYS = 7;
const HOURS = 24;
/** What a cell shows when it holds several: what needs attention first. */
export const MARK_ORDER: readonly Mark[] = ['missed', 'failed', 'running', 'skipped', 'ran', 'planned'];

/** Midnight, in the reader's zone, of the Monday on or before a time. */
export function weekStart(ms: number): number {
  const date = wallClock(ms);
  return fromWallTime(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate() - ((date.getUTCDay() + 6) % DAYS));
}

/** The same moment of the week `weeks` later; weeks with a clock change have other lengths than 168 hours. */
export function addWeeks(startMs: number, weeks: number): number {
  const date = wallClock(startMs);
  const day = date.getUTCDate() + weeks * DAYS;
  return fromWallTime(date.getUTCFullYear(), date.getUTCMonth() + 1, day, date.getUTCHours(), date.getUTCMinutes());
}

export function markOf(instant: GridInstant, statusOfTask: ReadonlyMap<string, string>): Mark {
  if (instant.status === 'planned' || instant.status === 'skipped' || instant.status === 'missed') return instant.status;
  if (instant.status === 'queued') return 'planned';
  const task = instant.task_id ? statusOfTask.get(instant.task_id) : undefined;
  if (task === 'failed') return 'failed';
  return task === 'assigned' || task === 'in_progress' ? 'running' : 'ran';
}

/** 168 cells, Monday 0 h first. An hour that a clock change repeats or leaves out is one cell like any other. */
export function weekGrid(instants: readonly GridInstant[], startMs: number, statusOfTask: ReadonlyMap<string, string>): HourCell[] {
  const cells = Array.from({ length: DAYS * HOURS }, (_, index) => emptyCell(startMs, index));
  const endMs = addWeeks(startMs, 1);
  for (const instant of instants) {
    const ms = isoToMs(instant.nominal);
    if (ms < startMs || ms >= endMs) continue;
    const date = wallClock(ms);
    const index = ((date.getUTCDay() + 6) % DAYS) * HOURS + date.getUTCHours();
    const mark = markOf(instant, statusOfTask);
    const { counts, total, ...same } = cells[index];
    cells[index] = { ...same, counts: { ...counts, [mark]: (counts[mark] ?? 0) + 1 }, total: total + 1 };
  }
  return cells;
}

function emptyCell(startMs: number, index: number): HourCell {
  const date = wallClock(startMs);
  const [day, hour] = [Math.floor(index / HOURS), index % HOURS];
  const cellMs = fromWallTime(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate() + day, hour);
  return { day, hour, startMs: cellMs, counts: {}, total: 0 };
}

/** The mark that stands for a cell; null for an empty one. */
export function leadingMark(cell: HourCell): Mark | null {
  return MARK_ORDER.find((mark) => cell.counts[mark]) ?? null;
}

/** "3 ran, 1 missed". */
export function cellText(cell: HourCell): string {
  return MARK_ORDER.filter((mark) => cell.counts[mark]).map((mark) => `${cell.counts[mark]} ${mark}`).join(', ');
}
