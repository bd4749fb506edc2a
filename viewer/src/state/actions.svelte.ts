/** What a reader asked to do to tasks: confirmed in a dialog, done, and its outcome told. */

import { ApiError } from '../api/client';
import { actOnTask, actOnTasks, type BulkAnswer } from '../api/controller';
import type { ActionForm } from '../core/actionform';
import { formatCount, plural } from '../core/format';
import type { Task, TaskAction } from '../core/task';
import { bulkFilter, type TaskFilters } from '../core/taskfilters';
import { announcer } from './announcer.svelte';
import { live } from './live.svelte';

/** One task, some tasks by their ids, or all that filters name. */
export type Target = { task: Task } | { ids: readonly string[] } | { filters: TaskFilters; count: number };

export interface Outcome {
  text: string;
  /** Tasks that did not take the action, and why. */
  refusals: BulkAnswer['refusals'];
}

export const VERB: Record<TaskAction, string> = {
  run: 'Run', pause: 'Pause', resume: 'Resume', retry: 'Retry', edit: 'Edit', redirect: 'Redirect', complete: 'Complete',
  cancel: 'Cancel', delete: 'Delete',
};
const DONE: Record<TaskAction, string> = {
  run: 'is queued', pause: 'is being paused', resume: 'goes on', retry: 'is queued again', edit: 'is changed',
  redirect: 'goes to somebody else', complete: 'is completed', cancel: 'is being cancelled', delete: 'is deleted',
};
const NOTICE_MS = 12_000;

class TaskActions {
  action = $state.raw<TaskAction>('run');
  /** What the open dialog is about; null: no dialog. */
  target = $state.raw<Target | null>(null);
  /** What the dialog's form begins with. */
  given: Partial<ActionForm> = {};
  /** What a bulk action would do, once that is known. */
  forecast = $state.raw<BulkAnswer | null>(null);
  failure = $state.raw<ApiError | null>(null);
  busy = $state(false);
  outcome = $state.raw<Outcome | null>(null);
  /** Grows when something was done, so that pages ask again. */
  version = $state(0);

  private filter: Record<string, unknown> = {};
  private aborter = new AbortController();
  private noticeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Opens the dialog; for several tasks it first asks what would happen. */
  ask(action: TaskAction, target: Target, given: Partial<ActionForm> = {}): void {
    this.aborter.abort();
    this.given = given;
    this.aborter = new AbortController();
    [this.action, this.target, this.forecast, this.failure, this.busy] = [action, target, null, null, false];
    if ('task' in target) return;
    // Absolute times from here on: what is done is what was counted.
    this.filter = 'ids' in target ? { ids: target.ids } : bulkFilter(target.filters, live.nowMs());
    void this.foresee();
  }

  close(): void {
    this.aborter.abort();
    this.target = null;
  }

  async foresee(): Promise<void> {
    const { signal } = this.aborter;
    try {
      this.failure = null;
      this.forecast = await actOnTasks(this.action, this.filter, {}, true, signal);
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    }
  }

  /** Does it. body: the fields of the action's request. */
  async confirm(body: Record<string, unknown>): Promise<void> {
    const { target, action } = this;
    if (target === null || this.busy) return;
    this.busy = true;
    try {
      if ('task' in target) {
        await actOnTask(target.task.id, action, body);
        this.tell({ text: `${target.task.name} ${DONE[action]}`, refusals: [] });
      } else this.tellBulk(await actOnTasks(action, this.filter, body, false));
      this.close();
      this.version++;
    } catch (cause) {
      this.failure = ApiError.of(cause);
    } finally {
      this.busy = false;
    }
  }

  tell(outcome: Outcome): void {
    this.outcome = outcome;
    announcer.say(outcome.text);
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => (this.outcome = null), NOTICE_MS);
  }

  private tellBulk(answer: BulkAnswer): void {
    const refused = answer.refused ? `, ${formatCount(answer.refused)} did not take it` : '';
    this.tell({ text: `${VERB[this.action]}: done for ${plural(answer.changed, 'task')}${refused}`, refusals: answer.refusals });
  }
}

export const taskActions = new TaskActions();
