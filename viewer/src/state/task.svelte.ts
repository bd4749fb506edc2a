/** The open task: what it is, its attempts, what they saved, what it waits for, while it goes on. */

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
import { Following } from './following.svelte';
import { live } from './live.svelte';

/** Progress has no transitions; it is asked for while somebody works. */
const WORKING_MS = 1_000;
const WAITING_MS = 5_000;
const SAVED_AGAIN_MS = 3_000;
const SETTLED_AFTER_MS = 10_000;
const MOST_DRAWN = 40;

export class TaskModel extends Following {
  task = $state.raw<Task | null>(null);
  attempts = $state.raw<Attempt[]>([]);
  saved = $state.raw<CheckpointListAnswer>({ checkpoints: [], steps: [] });
  transitions = $state.raw<Transition[]>([]);
  graph = $state.raw<TaskGraph | null>(null);

  private savedKey = '';
  private savedAt = 0;

  constructor(readonly id: string) {
    super();
  }

  get missing(): boolean {
    return this.failure?.status === 404;
  }

  protected override idleMs(): number {
    if (this.task === null) return Infinity;
    if (isFinished(this.task.status)) return this.isSettled(this.task) ? Infinity : WORKING_MS;
    return isWorking(this.task.status) ? WORKING_MS : WAITING_MS;
  }

  // The last spans of a run, with their tokens and cost, come after the task has been reported as done.
  private isSettled({ finished_at }: Task): boolean {
    return finished_at === null || live.nowMs() - isoToMs(finished_at) > SETTLED_AFTER_MS;
  }

  protected override changed(transitions: readonly Transition[]): void {
    const drawn = new Set([this.id, ...(this.graph?.nodes.map((node) => node.id) ?? [])]);
    if (transitions.some((transition) => drawn.has(transition.task_id))) this.load();
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const [task, attempts, transitions] = await Promise.all([fetchTask(this.id, signal), fetchAttempts(this.id, signal), fetchTransitions(this.id, signal)]);
    if (this.task && this.task.status !== task.status) announcer.say(`task ${task.name} ${task.status}`);
    [this.task, this.attempts, this.transitions] = [task, attempts, transitions];
    await Promise.all([this.loadSaved(signal), this.loadGraph(task, signal)]);
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
