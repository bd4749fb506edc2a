/** Runs, tasks, agents and schedules by a few typed letters, for the command menu. */

import { ApiError, getJson } from '../api/client';
import { fetchAgents, fetchSchedules, fetchTasks } from '../api/controller';
import type { RunListAnswer } from '../api/types';
import type { RunSummary } from '../core/runlist';
import { runPath, schedulePath, taskPath } from '../core/route';
import { noTaskFilters } from '../core/taskfilters';

export interface Found {
  readonly group: string;
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly status: string | null;
  readonly path: string;
}

const PAUSE_MS = 120;
const MOST = 6;

export class FoundThings {
  items = $state.raw<readonly Found[]>([]);
  failure = $state.raw<ApiError | null>(null);
  busy = $state(false);

  private aborter = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks soon; what was found before stays until there is an answer. Without a text: the newest runs. */
  ask(text: string): void {
    clearTimeout(this.timer);
    this.aborter.abort();
    this.timer = setTimeout(() => void this.load(text.trim()), text === '' ? 0 : PAUSE_MS);
  }

  close(): void {
    clearTimeout(this.timer);
    this.aborter.abort();
  }

  private async load(text: string): Promise<void> {
    const { signal } = (this.aborter = new AbortController());
    this.busy = true;
    try {
      const found = await Promise.all(text === '' ? [findRuns('', signal)] : [
        findRuns(text, signal), findTasks(text, signal), findAgents(text, signal), findSchedules(text, signal),
      ]);
      this.items = found.flat();
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.busy = false;
  }
}

async function findRuns(text: string, signal: AbortSignal): Promise<Found[]> {
  const params = new URLSearchParams({ limit: String(text === '' ? MOST : 3 * MOST) });
  if (text) params.set('text', text);
  const { runs } = await getJson<RunListAnswer>(`api/runs?${params}`, signal);
  const group = text === '' ? 'Newest runs' : 'Runs';
  // A text is looked for in everything a run recorded; those that have it in their name are meant first.
  const named = (run: RunSummary) => run.name.toLowerCase().includes(text.toLowerCase());
  return [...runs.filter(named), ...runs.filter((run) => !named(run))].slice(0, MOST).map((run) => ({
    group, id: run.run_id, title: run.name, hint: run.run_id.slice(0, 8), status: run.status, path: runPath(run.run_id),
  }));
}

async function findTasks(text: string, signal: AbortSignal): Promise<Found[]> {
  const { tasks } = await fetchTasks({ filters: { ...noTaskFilters(), text }, limit: MOST }, signal);
  return tasks.map((task) => ({
    group: 'Tasks', id: task.id, title: task.name, hint: task.id.slice(0, 8), status: task.status, path: taskPath(task.id),
  }));
}

async function findAgents(text: string, signal: AbortSignal): Promise<Found[]> {
  const agents = await fetchAgents(signal);
  const fitting = agents.filter((agent) => agent.name.toLowerCase().includes(text.toLowerCase()));
  return fitting.slice(0, MOST).map((agent) => ({
    group: 'Agents', id: agent.name, title: agent.name, hint: agent.paused ? 'paused' : '', status: null, path: 'agents',
  }));
}

async function findSchedules(text: string, signal: AbortSignal): Promise<Found[]> {
  const { schedules } = await fetchSchedules(text, null, signal);
  return schedules.slice(0, MOST).map((schedule) => ({
    group: 'Schedules', id: schedule.id, title: schedule.name, hint: '', status: null, path: schedulePath(schedule.id),
  }));
}
