/** The list of schedules, and one schedule with its ledger. */

import { fetchInstants, fetchSchedule, fetchSchedules, fetchTasks, previewCadence } from '../api/controller';
import type { Instant, Schedule } from '../core/schedule';
import { noTaskFilters } from '../core/taskfilters';
import { isoToMs } from '../core/time';
import { addWeeks, type GridInstant } from '../core/weekgrid';
import { FollowedList, FollowedRecord, PAGE, type Page } from './following.svelte';

const MOST_OF_A_WEEK = 2_000;
const MOST_PLANNED = 1_000;

/** Statuses of tasks that instants made, for marks that depend on how the work went. */
async function statusesOf(instants: readonly Instant[], signal: AbortSignal): Promise<Map<string, string>> {
  const ids = [...new Set(instants.flatMap((instant) => instant.task_id ?? []))].slice(0, PAGE);
  if (ids.length === 0) return new Map();
  const page = await fetchTasks({ filters: noTaskFilters(), ids, limit: ids.length }, signal);
  return new Map(page.tasks.map((task) => [task.id, task.status]));
}

export class SchedulesModel extends FollowedList<Schedule> {
  taskStatus = $state.raw<ReadonlyMap<string, string>>(new Map());

  constructor(readonly text: string) {
    super();
  }

  protected override async page(cursor: string | null, signal: AbortSignal): Promise<Page<Schedule>> {
    const page = await fetchSchedules(this.text, cursor, signal);
    const statuses = await statusesOf(page.schedules.flatMap((schedule) => schedule.last.slice(0, 1)), signal);
    this.taskStatus = new Map([...this.taskStatus, ...statuses]);
    return [page.schedules, page.next_cursor];
  }
}

export class ScheduleModel extends FollowedRecord<Schedule, Instant> {
  taskStatus = $state.raw<ReadonlyMap<string, string>>(new Map());

  protected override fetch(signal: AbortSignal): Promise<Schedule> {
    return fetchSchedule(this.id, signal);
  }

  protected override async page(cursor: string | null, signal: AbortSignal): Promise<Page<Instant>> {
    const page = await fetchInstants(this.id, this.wanted, cursor, PAGE, signal);
    const statuses = await statusesOf(page.instants, signal);
    this.taskStatus = new Map([...this.taskStatus, ...statuses]);
    return [page.instants, page.next_cursor];
  }

  protected override isOlder(instant: Instant, than: Instant): boolean {
    return isoToMs(instant.nominal) < isoToMs(than.nominal);
  }
}

export interface Week {
  instants: readonly GridInstant[];
  taskStatus: ReadonlyMap<string, string>;
  /** There are more instants in this week than were asked for. */
  cut: boolean;
}

/** The instants of one week: those of the ledger, and those that are planned when the week reaches into the future. */
export async function loadWeek(schedule: Schedule, startMs: number, nowMs: number, signal: AbortSignal): Promise<Week> {
  const endMs = addWeeks(startMs, 1);
  const past = startMs < nowMs ? await ledgerSince(schedule, startMs, signal) : { instants: [], cut: false };
  const within = past.instants.filter((instant) => isoToMs(instant.nominal) < endMs);
  const planned = endMs > nowMs && !schedule.paused ? await plannedUntil(schedule, Math.max(startMs, nowMs), endMs, signal) : [];
  const known = new Set(within.map((instant) => isoToMs(instant.nominal)));
  const upcoming = planned.filter((instant) => !known.has(isoToMs(instant.nominal)));
  return {
    instants: [...within, ...upcoming],
    taskStatus: await statusesOf(within, signal),
    cut: past.cut || planned.length >= MOST_PLANNED,
  };
}

async function ledgerSince(schedule: Schedule, startMs: number, signal: AbortSignal): Promise<{ instants: Instant[]; cut: boolean }> {
  const instants: Instant[] = [];
  let cursor: string | null = null;
  do {
    const page = await fetchInstants(schedule.id, [], cursor, PAGE, signal);
    instants.push(...page.instants);
    cursor = page.next_cursor;
    const oldest = instants.at(-1);
    if (!oldest || isoToMs(oldest.nominal) < startMs) return { instants, cut: false };
  } while (cursor && instants.length < MOST_OF_A_WEEK);
  return { instants, cut: cursor !== null };
}

async function plannedUntil(schedule: Schedule, fromMs: number, endMs: number, signal: AbortSignal): Promise<GridInstant[]> {
  // The collector answers what comes after a time; a week's first instant may be the week's beginning itself.
  const preview = await previewCadence(schedule.cadence, MOST_PLANNED, new Date(fromMs - 1).toISOString(), signal);
  const lastMs = schedule.end ? Math.min(endMs, isoToMs(schedule.end)) : endMs;
  return preview.instants
    .filter((instant) => isoToMs(instant.nominal) < lastMs)
    .map((instant) => ({ nominal: instant.nominal, status: 'planned' }));
}
