import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLUMNS } from './runcolumns';
import { noFilters } from './runfilters';
import { formatRunListView, parseRunListView, plainView, SESSION_SORTS } from './runlistview';

const views = fc.record({
  filters: fc.record({ q: fc.string(), agent: fc.string() }).map((some) => ({ ...noFilters(), ...some })),
  columns: fc.shuffledSubarray(COLUMNS.map((column) => column.id), { minLength: 1 }),
  group: fc.constantFrom(null, 'session' as const),
  sessionSort: fc.tuple(fc.constantFrom('', '-'), fc.constantFrom(...SESSION_SORTS)).map(([sign, sort]) => sign + sort),
  peek: fc.constantFrom(null, 'abc'),
});

describe('view of the run list', () => {
  it('is restored from an address', () => {
    fc.assert(fc.property(views, (view) => void expect(parseRunListView(formatRunListView(view))).toEqual(view)));
  });

  it('says nothing that is the default', () => {
    expect(formatRunListView(plainView(noFilters()))).toBe('');
    expect(formatRunListView({ ...plainView(noFilters()), columns: ['name', 'cost'] })).toBe('?cols=name,cost');
  });
});
