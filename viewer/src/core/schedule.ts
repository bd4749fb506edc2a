/** Schedules as the collector tells of them. Field names are the wire's. */

export const INSTANT_STATUSES = ['fired', 'late', 'skipped', 'missed', 'queued', 'backfilled'] as const;

/** Exactly one of cron, every_ms and at is given. */
export interface Cadence {
  cron?: string | null;
  zone?: string;
  dst_gap?: string;
  dst_fold?: string;
  every_ms?: number | null;
  start?: string | null;
  at?: string | null;
}

/** An instant to come. */
export interface PlannedInstant {
  nominal: string;
  due: string;
  local: string;
  note?: string | null;
}

/** A nominal instant and what became of it. */
export interface Instant {
  schedule_id: string;
  nominal: string;
  status: string;
  recorded_at: string;
  task_id?: string | null;
  reason?: string | null;
}

export interface Schedule {
  id: string;
  name: string;
  description: string;
  cadence: Cadence;
  cadence_text: string;
  task: { name: string; agent?: string | null } & Record<string, unknown>;
  overlap: string;
  catch_up: string;
  catch_up_window_ms: number;
  jitter_ms: number;
  paused: boolean;
  created_at: string;
  updated_at: string;
  end: string | null;
  paused_by: string | null;
  next: PlannedInstant[];
  last: Instant[];
  fired_count: number;
  skipped_count: number;
  missed_count: number;
}

const UNITS: readonly (readonly [string, number])[] = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000], ['ms', 1]];

/** A length of time in the largest unit that says it exactly: "15 min", "90 s", "1500 ms". */
export function exactDuration(ms: number): string {
  if (ms === 0) return '0 s';
  const [unit, size] = UNITS.find(([, length]) => ms % length === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
}

/** The first sentence of a cadence in words: the rule, without what clock changes do to it. */
export function ruleOf(cadenceText: string): string {
  return /^.*?\.(?=\s|$)/.exec(cadenceText)?.[0].slice(0, -1) ?? cadenceText;
}

/** The cadence in a few characters, for a column: the cron fields with their zone, "every 15 min", "once". */
export function cadenceLabel(cadence: Cadence): string {
  if (cadence.cron) return `${cadence.cron} ${cadence.zone ?? 'UTC'}`;
  if (cadence.every_ms) return `every ${exactDuration(cadence.every_ms)}`;
  return 'once';
}

const NAMED_TASK = /task ([0-9a-z]{20,40})\b/;

/** A reason cut where it names a task, so that the task can be a link. */
export function reasonParts(reason: string | null | undefined): { text: string; taskId: string | null }[] {
  const found = NAMED_TASK.exec(reason ?? '');
  if (!reason || !found) return reason ? [{ text: reason, taskId: null }] : [];
  const after = reason.slice(found.index + found[0].length);
  const parts = [{ text: reason.slice(0, found.index), taskId: null }, { text: found[0], taskId: found[1] }, { text: after, taskId: null }];
  return parts.filter((part) => part.text !== '');
}
