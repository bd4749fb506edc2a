/** The open task: what it is, its attempts, what they saved, what it waits for, while it goes on. */

import { ApiError } from '../api/client';
import {
  fetchAttempts,
  fetchCheckpoints,
  fetchTask,
  fetchTasks,
  fetchTransitions,
  type CheckpointListAnswer,
} from '../api/controller';
import { isFinished, isWorking, type Attempt, type Task, type Transition } from '../core/task';
import { noTaskFilters } from '../core/taskfilters';
import { taskGraph, unknownIds, type TaskGraph } from '../core/taskgraph';
import { isoToMs } from '../core/time';
import { announcer } from './announcer.svelte';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Progress has no transitions; it is asked for while somebody works. */
const WORKING_MS = 1_000;
const WAITING_MS = 5_000;
const SAVED_AGAIN_MS = 3_000;
const SETTLED_AFTER_MS = 10_000;
const MOST_DRAWN = 40;

export class TaskModel {
  task = $state.raw<Task | null>(null);
  attempts = $state.raw<Attempt[]>([]);
  saved = $state.raw<CheckpointListAnswer>({ checkpoints: [], steps: [] });
  transitions = $state.raw<Transition[]>([]);
  graph = $state.raw<TaskGraph | null>(null);
  failure = $state.raw<ApiError | null>(null);
  missing = $state(false);

  private readonly refresher = new Refresher(() => this.refresh(), () => this.idleMs());
  private readonly aborter = new AbortController();
  private stop: (() => void) | null = null;
  private savedKey = '';
  private savedAt = 0;

  constructor(readonly id: string) {}

  async open(): Promise<void> {
    this.stop = live.stream.follow(
      { tasks: true },
      { hello: live.greet, tasks: (transitions) => this.changed(transitions), gap: () => this.refresher.ask() },
    );
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

  private idleMs(): number {
    if (this.task === null) return Infinity;
    if (isFinished(this.task.status)) return this.isSettled(this.task) ? Infinity : WORKING_MS;
    return isWorking(this.task.status) ? WORKING_MS : WAITING_MS;
  }

  // The last spans of a run, with their tokens and cost, come after the task has been reported as done.
  private isSettled({ finished_at }: Task): boolean {
    return finished_at === null || live.nowMs() - isoToMs(finished_at) > SETTLED_AFTER_MS;
  }

  private changed(transitions: readonly Transition[]): void {
    const drawn = new Set([this.id, ...(this.graph?.nodes.map((node) => node.id) ?? [])]);
    if (transitions.some((transition) => drawn.has(transition.task_id))) this.refresher.ask();
  }

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      const [task, attempts, transitions] = await Promise.all([
        fetchTask(this.id, signal),
        fetchAttempts(this.id, signal),
        fetchTransitions(this.id, signal),
      ]);
      if (this.task && this.task.status !== task.status) announcer.say(`task ${task.name} ${task.status}`);
      [this.task, this.attempts, this.transitions] = [task, attempts, transitions];
      await Promise.all([this.loadSaved(signal), this.loadGraph(task, signal)]);
      [this.failure, this.missing] = [null, false];
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
      this.missing = this.failure.status === 404;
    }
  }

  // Checkpoints can be large: they are asked for when there may be new ones, and not every second.
  private async loadSaved(signal: AbortSignal): Promise<void> {
    const key = JSON.stringify(this.attempts.map((one) => [one.attempt, one.status, one.checkpoint_count, one.steps_reused, one.phase]));
    const working = this.task !== null && isWorking(this.task.status);
    if (key === this.savedKey && !(working && Date.now() - this.savedAt > SAVED_AGAIN_MS)) return;
    this.saved = await fetchCheckpoints(this.id, signal);
    [this.savedKey, this.savedAt] = [key, Date.now()];
  }

  /** The tasks it is joined to, and those that these are joined to. */
  private async loadGraph(task: Task, signal: AbortSignal): Promise<void> {
    const near = taskGraph(task, [], MOST_DRAWN);
    const ids = unknownIds(near, new Set([task.id]));
    if (ids.length === 0) return void (this.graph = near.nodes.length > 1 ? near : null);
    const page = await fetchTasks({ filters: noTaskFilters(), ids, limit: ids.length }, signal);
    this.graph = taskGraph(task, page.tasks, MOST_DRAWN);
  }
}
