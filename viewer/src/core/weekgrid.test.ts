import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cadenceLabel, exactDuration, reasonParts, ruleOf } from './schedule';
import { addWeeks, cellText, leadingMark, markOf, weekGrid, weekStart } from './weekgrid';

const START = weekStart(Date.UTC(2026, 10, 21, 12));
const instants = fc.array(
  fc.record({
    nominal: fc.integer({ min: -50, max: 250 }).map((hours) => new Date(START + hours * 1_800_000).toISOString()),
    status: fc.constantFrom('fired', 'late', 'skipped', 'missed', 'queued', 'backfilled', 'planned'),
    task_id: fc.option(fc.constantFrom('running', 'failed', 'done')),
  }),
  { maxLength: 40 },
);
const STATUSES = new Map([['running', 'in_progress'], ['failed', 'failed'], ['done', 'completed']]);

describe('a week of a schedule', () => {
  it('holds each of its instants once, in its own hour', () => {
    fc.assert(
      fc.property(instants, (some) => {
        const cells = weekGrid(some, START, STATUSES);
        const inside = some.filter(({ nominal }) => Date.parse(nominal) >= START && Date.parse(nominal) < addWeeks(START, 1));
        expect(cells.reduce((sum, cell) => sum + cell.total, 0)).toBe(inside.length);
        for (const { nominal } of inside) {
          const hour = cells.findLast((cell) => cell.startMs <= Date.parse(nominal));
          expect(hour?.total).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('has 168 hours, whose text and mark tell what they hold', () => {
    const nominal = new Date(START).toISOString();
    const cells = weekGrid([{ nominal, status: 'fired' }, { nominal, status: 'missed' }, { nominal, status: 'fired' }], START, STATUSES);
    expect(cells).toHaveLength(168);
    expect(leadingMark(cells[0])).toBe('missed');
    expect(cellText(cells[0])).toBe('1 missed, 2 ran');
    expect(leadingMark(cells[1])).toBeNull();
  });

  it('begins on a Monday at midnight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
        const date = new Date(weekStart(ms));
        expect([date.getDay(), date.getHours()]).toEqual([1, 0]);
        expect(weekStart(ms) <= ms && ms < addWeeks(weekStart(ms), 1)).toBe(true);
      }),
    );
  });

  it('takes the task into account', () => {
    const fired = { nominal: '', status: 'fired' };
    expect(markOf({ ...fired, task_id: 'running' }, STATUSES)).toBe('running');
    expect(markOf({ ...fired, task_id: 'failed' }, STATUSES)).toBe('failed');
    expect(markOf({ ...fired, task_id: 'unknown' }, STATUSES)).toBe('ran');
    expect(markOf({ ...fired, status: 'queued' }, STATUSES)).toBe('planned');
  });
});

it('a cadence has a short label', () => {
  expect(cadenceLabel({ cron: '0 2 * * *', zone: 'Europe/Berlin' })).toBe('0 2 * * * Europe/Berlin');
  expect(cadenceLabel({ cron: '0 2 * * *' })).toBe('0 2 * * * UTC');
  expect(cadenceLabel({ every_ms: 900_000 })).toBe('every 15 min');
  expect(ruleOf('At 02:30 every day, UTC time. A time that is skipped …')).toBe('At 02:30 every day, UTC time');
  expect(ruleOf('Every 20 seconds from 14:14:54.188 UTC.')).toBe('Every 20 seconds from 14:14:54.188 UTC');
  expect([0, 90_000, 86_400_000, 1500].map(exactDuration)).toEqual(['0 s', '90 s', '1 d', '1500 ms']);
  expect(cadenceLabel({ at: '2026-11-21T00:00:00Z' })).toBe('once');
});

it('a reason is cut where it names a task', () => {
  const id = '01m7z7sa5fcpd1dkv10c4g3wn5';
  expect(reasonParts(`task ${id} is pending`)).toEqual([{ text: `task ${id}`, taskId: id }, { text: ' is pending', taskId: null }]);
  expect(reasonParts('the schedule was paused')).toEqual([{ text: 'the schedule was paused', taskId: null }]);
  expect(reasonParts(null)).toEqual([]);
});
