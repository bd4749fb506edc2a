import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockChanges, emptyScheduleForm, offsetOf, readCadence, readScheduleForm, withoutOffset, type ScheduleForm, UNIT_MS } from './scheduleform';

const form = (some: Partial<ScheduleForm>): ScheduleForm => ({ ...emptyScheduleForm('UTC'), name: 'nightly', taskName: 'extract', ...some });

describe('the form of a schedule', () => {
  it('says only what is not a default', () => {
    expect(readScheduleForm(form({})).value).toEqual({ name: 'nightly', cadence: { cron: '0 2 * * *', zone: 'UTC' }, task: { name: 'extract' } });
  });

  it('makes exactly one of cron, interval and instant', () => {
    fc.assert(
      fc.property(fc.constantFrom('cron' as const, 'every' as const, 'at' as const), (kind) => {
        const { value } = readCadence(form({ kind, at: '2026-12-01T00:00' }));
        expect(['cron', 'every_ms', 'at'].filter((name) => value && name in value)).toHaveLength(1);
      }),
    );
  });

  it('turns intervals into milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.constantFrom(...Object.keys(UNIT_MS)), (every, everyUnit) => {
        expect(readCadence(form({ kind: 'every', every: String(every), everyUnit })).value).toEqual({ every_ms: every * UNIT_MS[everyUnit] });
      }),
    );
  });

  it('names what is missing or cannot be read, of cadence and task alike', () => {
    const { errors } = readScheduleForm(form({ name: '', kind: 'every', every: '0', taskName: '', input: '{' }));
    expect(Object.keys(errors ?? {}).sort()).toEqual(['every', 'input', 'name', 'taskName']);
  });
});

it('a change of the clock is where the offset changes', () => {
  const locals = ['2026-10-24 02:30:00+02:00', '2026-10-25 02:30:00+02:00', '2026-10-26 02:30:00+01:00'];
  expect(clockChanges(locals)).toEqual([false, false, true]);
  expect(offsetOf('2026-10-24T02:30:00Z')).toBe('+00:00');
  expect(offsetOf('2026-10-24 02:30')).toBe('');
  expect(withoutOffset('2026-10-24T02:30:00.188Z')).toBe('2026-10-24 02:30:00');
  expect(withoutOffset('2026-10-24T02:30:00+01:00')).toBe('2026-10-24 02:30:00');
});
