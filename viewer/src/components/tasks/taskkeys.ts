/**
 * Keys that act on the task under the reader's hand, also on the page of its run, where other letters are taken. Each
 * opens a dialog that names the task; none acts by itself.
 */

import { actionsOf, pauseOrResume, retryOrRun, type Task, type TaskAction } from '../../core/task';
import { taskActions } from '../../state/actions.svelte';

const CHOSEN: Record<string, (task: Task) => TaskAction | null> = {
  R: retryOrRun,
  H: pauseOrResume,
  I: (task) => (actionsOf(task).includes('edit') ? 'edit' : null),
  C: (task) => (actionsOf(task).includes('cancel') ? 'cancel' : null),
};

/** Carries out Shift R, H, I or C; answers whether it meant something for this task. */
export function taskKey(event: KeyboardEvent, task: Task | null): boolean {
  const action = task && event.shiftKey ? CHOSEN[event.key]?.(task) : null;
  if (!action || !task) return false;
  taskActions.ask(action, { task });
  return true;
}
