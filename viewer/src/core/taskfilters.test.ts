import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIORITIES, TASK_STATUSES } from './task';
import {
  bulkFilter, DEFAULT_TASK_SORT, formatTaskView, GROUPINGS, hasTaskFilters, noTaskFilters, parseTaskView, resolveTime, taskQuery, tasksPath, toggled,
} from './taskfilters';

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((text) => text.isWellFormed());
const words = fc.uniqueArray(word, { maxLength: 3 });
const maybe = fc.oneof(fc.constant(''), word);
const filters = fc
  .record({
    status: fc.subarray([...TASK_STATUSES]), priority: fc.subarray([...PRIORITIES]), agent: words, name: words, tag: words, app: words,
    team: words, batch: words, text: maybe, from: maybe, to: maybe, schedule_id: maybe, origin_run_id: maybe,
  })
  .map((some) => ({ ...noTaskFilters(), ...some }));
const views = fc.record({
  filters,
  layout: fc.constantFrom('table' as const, 'board' as const),
  sort: fc.constantFrom(DEFAULT_TASK_SORT, 'name', '-priority'),
  group: fc.option(fc.constantFrom(...GROUPINGS)),
});
const NOW = Date.UTC(2026, 10, 21, 12);

describe('the address of the tasks page', () => {
  it('restores every view', () => {
    fc.assert(fc.property(views, (view) => void expect(parseTaskView(formatTaskView(view))).toEqual(view)));
  });

  it('says nothing that is the default', () => {
    expect(tasksPath()).toBe('tasks');
    expect(tasksPath({ status: ['failed'] })).toBe('tasks?status=failed');
    expect(hasTaskFilters(noTaskFilters())).toBe(false);
  });

  it('drops statuses that do not exist', () => {
    expect(parseTaskView('?status=sleeping&status=failed&group=colour').filters.status).toEqual(['failed']);
    expect(parseTaskView('?group=colour').group).toBeNull();
  });
});

describe('filters of a bulk action', () => {
  it('name what the list names', () => {
    fc.assert(
      fc.property(filters, (some) => {
        const filter = bulkFilter(some, NOW);
        expect(Object.keys(filter).length > 0).toBe(hasTaskFilters(some));
        expect(filter.status ?? []).toEqual(some.status);
        expect(filter.tag ?? []).toEqual(taskQuery(some).getAll('tag'));
      }),
    );
  });

  it('have absolute times', () => {
    const filter = bulkFilter({ ...noTaskFilters(), from: 'now-24h', to: '2026-11-21T00:00:00Z' }, NOW);
    expect(filter).toEqual({ created_from: '2026-11-20T12:00:00.000Z', created_to: '2026-11-21T00:00:00Z' });
    expect(resolveTime('now', NOW)).toBe('2026-11-21T12:00:00.000Z');
    expect(resolveTime('yesterday', NOW)).toBe('yesterday');
  });
});

it('a value toggled twice leaves the filters as they were', () => {
  fc.assert(
    fc.property(filters, fc.constantFrom(...TASK_STATUSES), (some, status) => {
      const twice = toggled(toggled(some, 'status', status), 'status', status);
      expect(new Set(twice.status)).toEqual(new Set(some.status));
    }),
  );
});
