/** The managed task that a run is an attempt of, and which of its kept checkpoints the run's are. */

import { ApiError, fetchSpan } from '../api/client';
import { fetchAttempts, fetchCheckpoints, fetchTask } from '../api/controller';
import { checkpointKey, findKept, keptBy, whyNotResumed, type RecordedCheckpoint } from '../core/resume';
import type { Task } from '../core/task';
import { taskActions } from './actions.svelte';

export class ResumeModel {
  /** Why nothing can be resumed; null while that is not known, and where it can. */
  refusal = $state<string | null>(null);
  failure = $state.raw<ApiError | null>(null);
  private task = $state.raw<Task | null>(null);
  private kept = $state.raw<ReadonlyMap<string, number>>(new Map());

  constructor(
    private readonly runId: string,
    private readonly rootId: string,
  ) {}

  /** The number under which a checkpoint can be resumed from: null while nothing can, undefined for one that is not kept. */
  numberOf(checkpoint: RecordedCheckpoint): number | null | undefined {
    return this.task && this.refusal === null ? this.kept.get(checkpointKey(checkpoint)) : null;
  }

  /** recorded: the run's checkpoints, in order. */
  async load(recorded: readonly RecordedCheckpoint[], signal: AbortSignal): Promise<void> {
    try {
      const { task_id } = await fetchSpan(this.runId, this.rootId, 0, signal);
      if (task_id === null) this.refusal = 'Only attempts of tasks can be resumed; this run is none.';
      else await this.find(task_id, recorded, signal);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      const failure = ApiError.of(cause);
      if (failure.status === 404) this.refusal = 'The controller no longer holds the task of this run.';
      else this.failure = failure;
    }
  }

  private async find(id: string, recorded: readonly RecordedCheckpoint[], signal: AbortSignal): Promise<void> {
    const [task, attempts, saved] = await Promise.all([fetchTask(id, signal), fetchAttempts(id, signal), fetchCheckpoints(id, signal)]);
    const attempt = attempts.find(({ run_id }) => run_id === this.runId);
    this.kept = attempt ? findKept(recorded, keptBy(saved.checkpoints, attempt)) : new Map();
    this.refusal = whyNotResumed(task);
    this.task = task;
  }

  /** Asks whether the task is to be tried again from a checkpoint. */
  ask(sequence: number): void {
    if (this.task) taskActions.ask('retry', { task: this.task }, { checkpoint: String(sequence) });
  }
}
