/** The list of schedules, and one schedule with its ledger. */

import { ApiError } from '../api/client';
import { fetchInstants, fetchSchedule, fetchSchedules, fetchTasks, previewCadence } from '../api/controller';
import type { Instant, Schedule } from '../core/schedule';
import { noTaskFilters } from '../core/taskfilters';
import { isoToMs } from '../core/time';
import { addWeeks, type GridInstant } from '../core/weekgrid';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Instants that are skipped or missed have no task, hence no transition. */
const IDLE_MS = 5_000;
const PAGE = 100;
const MOST_OF_A_WEEK = 2_000;
const MOST_PLANNED = 1_000;

/** What every page of schedules does: follow the tasks, ask again, say what failed. */
abstract class Following {
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);
  protected readonly aborter = new AbortController();
  protected readonly refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const ask = () => this.refresher.ask();
    this.stop = live.stream.follow({ tasks: true }, { hello: live.greet, tasks: ask, gap: ask });
    await live.stream.opened(400);
    await this.refresher.now();
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  protected abstract ask(signal: AbortSignal): Promise<void>;

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      await this.ask(signal);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }
}

/** Statuses of tasks that instants made, for marks that depend on how the work went. */
async function statusesOf(instants: readonly Instant[], signal: AbortSignal): Promise<Map<string, string>> {
  const ids = [...new Set(instants.flatMap((instant) => instant.task_id ?? []))].slice(0, PAGE);
  if (ids.length === 0) return new Map();
  const page = await fetchTasks({ filters: noTaskFilters(), ids, limit: ids.length }, signal);
  return new Map(page.tasks.map((task) => [task.id, task.status]));
}

export class SchedulesModel extends Following {
  schedules = $state.raw<Schedule[]>([]);
  taskStatus = $state.raw<ReadonlyMap<string, string>>(new Map());
  nextCursor = $state<string | null>(null);

  constructor(readonly text: string) {
    super();
  }

  async loadMore(): Promise<void> {
    if (this.nextCursor === null) return;
    try {
      const page = await fetchSchedules(this.text, this.nextCursor, this.aborter.signal);
      this.schedules = [...this.schedules, ...page.schedules];
      this.nextCursor = page.next_cursor;
    } catch (cause) {
      if (!this.aborter.signal.aborted) this.failure = ApiError.of(cause);
    }
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const wanted = Math.max(1, Math.ceil(this.schedules.length / PAGE));
    let page = await fetchSchedules(this.text, null, signal);
    const schedules = page.schedules;
    for (let loaded = 1; loaded < wanted && page.next_cursor; loaded++) {
      page = await fetchSchedules(this.text, page.next_cursor, signal);
      schedules.push(...page.schedules);
    }
    this.taskStatus = await statusesOf(schedules.flatMap((schedule) => schedule.last.slice(0, 1)), signal);
    [this.schedules, this.nextCursor] = [schedules, page.next_cursor];
  }
}

export class ScheduleModel extends Following {
  schedule = $state.raw<Schedule | null>(null);
  instants = $state.raw<Instant[]>([]);
  nextCursor = $state<string | null>(null);
  taskStatus = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** Statuses of the ledger to show; none: all. */
  wanted = $state.raw<readonly string[]>([]);

  constructor(readonly id: string) {
    super();
  }

  get missing(): boolean {
    return this.failure?.status === 404 && this.schedule === null;
  }

  want(statuses: readonly string[]): void {
    this.wanted = statuses;
    this.instants = [];
    void this.refresher.now();
  }

  async loadMore(): Promise<void> {
    if (this.nextCursor === null) return;
    const { signal } = this.aborter;
    try {
      const page = await fetchInstants(this.id, this.wanted, this.nextCursor, PAGE, signal);
      const statuses = await statusesOf(page.instants, signal);
      this.instants = [...this.instants, ...page.instants];
      this.taskStatus = new Map([...this.taskStatus, ...statuses]);
      this.nextCursor = page.next_cursor;
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    }
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const [schedule, page] = await Promise.all([
      fetchSchedule(this.id, signal),
      fetchInstants(this.id, this.wanted, null, PAGE, signal),
    ]);
    const statuses = await statusesOf(page.instants, signal);
    this.schedule = schedule;
    // What was loaded further down stays below the first page.
    const last = page.instants.at(-1);
    const older = last ? this.instants.filter((instant) => isoToMs(instant.nominal) < isoToMs(last.nominal)) : [];
    this.instants = page.next_cursor === null ? page.instants : [...page.instants, ...older];
    if (page.next_cursor === null || older.length === 0) this.nextCursor = page.next_cursor;
    this.taskStatus = new Map([...this.taskStatus, ...statuses]);
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
