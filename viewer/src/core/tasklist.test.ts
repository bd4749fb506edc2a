import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskOf } from './taskarbitraries';
import { selectRange, TaskRows, toggleSelected } from './tasklist';

const ids = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 30 });
const page = (of: readonly number[], name = 'extract') => of.map((id) => taskOf(String(id), { name }));
const shown = (list: TaskRows) => list.rows.map((row) => Number(row.id));

describe('task rows', () => {
  it('are what a reload would show when the first page is everything', () => {
    fc.assert(
      fc.property(ids, ids, (before, after) => {
        const list = new TaskRows();
        list.loadFirst(page(before), null);
        list.refreshFirst(page(after), null, false);
        expect(shown(list)).toEqual(after);
      }),
    );
  });

  it('keep their places while held, and lose nothing by it', () => {
    fc.assert(
      fc.property(ids, ids, (before, after) => {
        const list = new TaskRows();
        list.loadFirst(page(before, 'old'), null);
        list.refreshFirst(page(after, 'new'), null, true);
        expect(shown(list)).toEqual(before);
        expect(list.waitingCount).toBe(after.filter((id) => !before.includes(id)).length);
        for (const row of list.rows) expect(row.name).toBe(after.includes(Number(row.id)) ? 'new' : 'old');
        list.release();
        expect(shown(list)).toEqual(after);
        expect(list.waitingCount).toBe(0);
      }),
    );
  });

  it('never hold a task twice, whatever moves between pages', () => {
    fc.assert(
      fc.property(ids, ids, ids, (first, second, again) => {
        const list = new TaskRows();
        list.loadFirst(page(first), 'a');
        list.loadMore(page(second), 'b');
        list.refreshFirst(page(again), 'c', false);
        expect(new Set(shown(list)).size).toBe(list.rows.length);
        expect(shown(list).slice(0, again.length)).toEqual(again);
      }),
    );
  });

  it('keep what was loaded further down', () => {
    const list = new TaskRows();
    list.loadFirst(page([9, 8, 7]), 'a');
    list.loadMore(page([6, 5, 4]), 'b');
    list.refreshFirst(page([10, 5, 9]), 'c', false);
    expect(shown(list)).toEqual([10, 5, 9, 8, 7, 6, 4]);
    expect(list.nextCursor).toBe('b');
  });

  it('begin anew when the first page shares no row with them', () => {
    const list = new TaskRows();
    list.loadFirst(page([3, 2, 1]), 'a');
    list.refreshFirst(page([9, 8, 7]), 'b', false);
    expect(shown(list)).toEqual([9, 8, 7]);
    expect(list.nextCursor).toBe('b');
  });

  it('lose those that no longer belong', () => {
    const list = new TaskRows();
    list.loadFirst(page([3, 2, 1]), null);
    list.refreshRows(['3', '2'], page([3], 'new'), false);
    expect(shown(list)).toEqual([3, 1]);
    expect(list.rows[0].name).toBe('new');
  });
});

describe('the selection', () => {
  it('takes in and gives back', () => {
    const once = toggleSelected(new Set(), 'a');
    expect([...once]).toEqual(['a']);
    expect(toggleSelected(once, 'a').size).toBe(0);
  });

  it('takes a range in either direction', () => {
    const rows = ['a', 'b', 'c', 'd'];
    expect([...selectRange(new Set(), rows, 'd', 'b')].sort()).toEqual(['b', 'c', 'd']);
    expect([...selectRange(new Set(['d']), rows, 'a', 'b')].sort()).toEqual(['a', 'b', 'd']);
    expect([...selectRange(new Set(), rows, 'gone', 'c')]).toEqual(['c']);
    expect([...selectRange(new Set(['a']), rows, 'a', 'gone')]).toEqual(['a']);
  });
});
