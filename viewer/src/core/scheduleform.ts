/** The form that makes a schedule: texts of fields to a cadence and to what the API takes. */

import type { Priority } from './task';
import { FormReader, type Read } from './taskform';

export interface ScheduleForm {
  name: string;
  description: string;
  kind: 'cron' | 'every' | 'at';
  cron: string;
  zone: string;
  dstGap: string;
  dstFold: string;
  every: string;
  everyUnit: string;
  at: string;
  taskName: string;
  agent: string;
  input: string;
  priority: Priority;
  overlap: string;
  catchUp: string;
  catchUpWindowMin: string;
  jitterS: string;
  paused: boolean;
}

export const UNIT_MS: Record<string, number> = { seconds: 1e3, minutes: 60e3, hours: 3_600e3, days: 86_400e3 };

export function emptyScheduleForm(zone: string): ScheduleForm {
  return {
    name: '', description: '', kind: 'cron', cron: '0 2 * * *', zone, dstGap: 'run_after', dstFold: 'first', every: '15',
    everyUnit: 'minutes', at: '', taskName: '', agent: '', input: '', priority: 'medium', overlap: 'skip', catchUp: 'latest',
    catchUpWindowMin: '60', jitterS: '0', paused: false,
  };
}

/** The cadence alone, so that it can be previewed while the rest is still empty. */
export function readCadence(form: ScheduleForm): Read<ScheduleForm> {
  const reader = new FormReader(form);
  if (form.kind === 'cron') {
    reader
      .required('cron', 'cron', 'five fields: minute, hour, day of month, month, day of week')
      .required('zone', 'zone', 'a zone, such as Europe/Berlin')
      .set('dst_gap', form.dstGap, 'run_after')
      .set('dst_fold', form.dstFold, 'first');
  } else if (form.kind === 'every') {
    const factor = UNIT_MS[form.everyUnit] ?? 1e3;
    reader.required('every', 'every_ms', 'how often').number('every', 'every_ms', { factor, least: 1000 / factor });
  } else reader.required('at', 'at', 'when').time('at', 'at');
  return reader.result();
}

/** What `POST /api/schedules` takes, without what is a default anyway. */
export function readScheduleForm(form: ScheduleForm): Read<ScheduleForm> {
  const cadence = readCadence(form);
  const task = new FormReader(form)
    .required('taskName', 'name', 'the name that agents handle it by')
    .optional('agent', 'agent')
    .json('input', 'input')
    .set('priority', form.priority, 'medium');
  const schedule = new FormReader(form)
    .required('name', 'name', 'a name of its own')
    .optional('description', 'description')
    .set('overlap', form.overlap, 'skip')
    .set('catch_up', form.catchUp, 'latest')
    .number('catchUpWindowMin', 'catch_up_window_ms', { factor: 60_000, unless: 3_600_000 })
    .number('jitterS', 'jitter_ms', { factor: 1000, unless: 0 })
    .set('paused', form.paused, false);
  Object.assign(schedule.errors, cadence.errors, task.errors);
  Object.assign(schedule.value, { cadence: cadence.value, task: task.value });
  return schedule.result();
}

/** "+01:00" of a local time such as "2026-11-22 02:00:00+01:00"; "" when it names none. */
export function offsetOf(local: string): string {
  return /(?:Z|[+-]\d\d:?\d\d)$/.exec(local)?.[0].replace('Z', '+00:00') ?? '';
}

/** "2026-11-22 02:00:00" of such a local time: without the offset, and without a fraction of a second. */
export function withoutOffset(local: string): string {
  return local.replace(/(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/, '').replace('T', ' ');
}

/** Instants whose offset is another than that of the one before: where a clock changes. */
export function clockChanges(locals: readonly string[]): boolean[] {
  return locals.map((local, i) => i > 0 && offsetOf(local) !== offsetOf(locals[i - 1]));
}
