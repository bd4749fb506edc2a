import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ENTRIES, found, readHistory, remembered, withPin, type HistoryEntry } from './sqlhistory';

const ran = (sql: string, at = 0) => ({ sql, at, durationMs: 1, rows: 1, error: null });

describe('the history of queries', () => {
  it('has each text once, the newest first, and keeps what is pinned', () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
    fc.assert(
      fc.property(texts, (all) => {
        let entries: HistoryEntry[] = withPin(remembered([], ran('a')), 'a', true);
        all.forEach((sql, at) => (entries = remembered(entries, ran(sql, at))));
        expect(new Set(entries.map((entry) => entry.sql)).size).toBe(entries.length);
        expect(entries[0].sql).toBe(all[all.length - 1]);
        expect(entries.find((entry) => entry.sql === 'a')?.pinned).toBe(true);
        expect(readHistory(JSON.stringify(entries))).toEqual(entries);
      }),
    );
  });

  it('forgets the oldest ones, not the pinned ones', () => {
    let entries = withPin(remembered([], ran('first')), 'first', true);
    for (let i = 0; i < MAX_ENTRIES + 20; i++) entries = remembered(entries, ran(`query ${i}`));
    expect(entries.length).toBe(MAX_ENTRIES + 1);
    expect(found(entries, 'FIRST')[0].sql).toBe('first');
    expect(found(entries, 'query')[0].sql).toBe(`query ${MAX_ENTRIES + 19}`);
    expect(found(entries, '')[0].sql).toBe('first');
  });

  it('begins anew when storage holds something else', () => {
    for (const bad of [null, '', '{', '{}', '[1, null, {"sql": 3}]']) expect(readHistory(bad)).toEqual([]);
  });
});
