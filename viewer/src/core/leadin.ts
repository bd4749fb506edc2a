/** What came before a managed task's attempt began: its turn was waited for, a delay between attempts, a pause. */

import { layoutAttempts, type TimelineTask } from './attempts';
import type { Attempt, Transition } from './task';
import { isoToMs } from './time';

export interface LeadIn {
  readonly kind: 'queued' | 'backoff' | 'paused';
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
}

/** In order; a pause lies over what it interrupted. Empty for a run that is no attempt of the task. */
export function leadInOf(runId: string, task: TimelineTask, attempts: readonly Attempt[], transitions: readonly Transition[]): LeadIn[] {
  const row = layoutAttempts(task, attempts, 0).rows.find(({ attempt }) => attempt.run_id === runId);
  const waits = (row?.segments ?? []).flatMap(({ kind, start, end }): LeadIn[] => {
    if (kind === 'run' || end <= start) return [];
    return [{ kind: kind === 'backoff' ? 'backoff' : 'queued', start, end }];
  });
  if (waits.length === 0) return [];
  const [from, until] = [waits[0].start, waits[waits.length - 1].end];
  return [...waits, ...pauses(transitions, until).map((pause) => ({ ...pause, start: Math.max(pause.start, from) })).filter(({ start, end }) => end > start)];
}

function pauses(transitions: readonly Transition[], until: number): LeadIn[] {
  const ordered = [...transitions].sort((a, b) => a.sequence - b.sequence);
  return ordered.flatMap((transition, i): LeadIn[] => {
    if (transition.to_status !== 'paused' || transition.from_status === 'paused') return [];
    const next = ordered.slice(i + 1).find((later) => later.to_status !== 'paused');
    return [{ kind: 'paused', start: isoToMs(transition.time), end: Math.min(next ? isoToMs(next.time) : until, until) }];
  });
}
