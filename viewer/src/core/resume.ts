/** Which of a task's kept checkpoints the checkpoints of a run are, and whether the task can go on from one. */

import type { EventItem } from './events';
import { actionsOf, statusWord, type Attempt, type Task } from './task';

/** What the controller keeps of a checkpoint, as far as finding it needs it. */
export interface Kept {
  readonly attempt: number;
  readonly sequence: number;
  readonly name: string | null;
  readonly agent: string | null;
  readonly state: unknown;
  readonly copy_of: number | null;
}

export type RecordedCheckpoint = Pick<EventItem, 'time' | 'name' | 'body'>;

/** What tells a checkpoint of a run from its others. */
export const checkpointKey = ({ time, name }: RecordedCheckpoint): string => `${time} ${name ?? ''}`;

/** Those of one attempt, in the order of saving; what a retry copied was saved by another attempt. */
export function keptBy(kept: readonly Kept[], attempt: Pick<Attempt, 'attempt' | 'agent'>): Kept[] {
  const own = kept.filter(({ attempt: of, agent, copy_of }) => of === attempt.attempt && copy_of === null && (agent ?? attempt.agent) === attempt.agent);
  return own.sort((a, b) => a.sequence - b.sequence);
}

/**
 * The number under which the controller keeps a run's checkpoints, by their keys. recorded: all of the run, in order.
 *
 * The same name and the same state are the same checkpoint, equal ones in order. A run may record states that the
 * controller never got; and it may record a state cut or scrubbed, which then is found by its order among those of its
 * name, if none of that name is missing.
 */
export function findKept(recorded: readonly RecordedCheckpoint[], kept: readonly Kept[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of new Set(recorded.map((one) => one.name ?? null))) {
    const own = recorded.filter((one) => (one.name ?? null) === name);
    const named = kept.filter((one) => one.name === name);
    if (own.length === named.length) own.forEach((one, i) => found.set(checkpointKey(one), named[i].sequence));
    else pairEqual(own, named, found);
  }
  return found;
}

function pairEqual(recorded: readonly RecordedCheckpoint[], kept: readonly Kept[], found: Map<string, number>): void {
  const left = [...kept];
  for (const one of recorded) {
    const text = canonical(one.body ?? null);
    const at = left.findIndex(({ state }) => canonical(state ?? null) === text);
    if (at >= 0) found.set(checkpointKey(one), left.splice(at, 1)[0].sequence);
  }
}

/** JSON with the keys of objects in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join()}}`;
}

/** Why a task cannot go on from a checkpoint now; null when it can. */
export function whyNotResumed(task: Task): string | null {
  if (actionsOf(task).includes('retry')) return null;
  const now = `The task is ${statusWord(task.status)}`;
  if (task.status === 'completed') return `${now}: there is nothing left to resume.`;
  return `${now}. It can resume from a checkpoint once it is paused, failed or cancelled.`;
}
