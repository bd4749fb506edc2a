import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEVELS, TABLE_COLUMNS } from './viewoptions';
import { COLOURINGS, formatRunView, parseRunView, RUN_VIEWS } from './runview';

const word = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed());
const ms = fc.integer({ min: 0, max: 1e9 }).map((n) => n / 1000);
const id = fc.option(fc.stringMatching(/^[0-9a-f]{16}$/));
const stretch = fc.tuple(ms, ms.filter((n) => n > 0)).map(([from, length]) => ({ fromMs: from, toMs: from + length }));
const choice = fc.constantFrom('auto', 'on', 'off');
const views = fc
  .record({
    view: fc.constantFrom(...RUN_VIEWS),
    span: id,
    window: fc.option(stretch),
    area: fc.option(fc.tuple(stretch, fc.option(fc.tuple(word, word).filter(([a, b]) => a !== '' && b !== ''))).map(([time, rows]) => ({ ...time, rows }))),
    gap: id,
    focus: id,
    query: word,
    only: fc.constantFrom('matches', 'critical', null),
    colouring: fc.constantFrom(...COLOURINGS),
    frameRows: choice,
    foldIdle: choice,
    tab: fc.option(fc.constantFrom('input', 'error')),
    rawClocks: fc.boolean(),
    options: fc.record({
      level: fc.constantFrom(...LEVELS),
      spanLines: fc.boolean(),
      sort: fc.record({ column: fc.constantFrom(...TABLE_COLUMNS), descending: fc.boolean() }),
      columns: fc.subarray([...TABLE_COLUMNS]).map((columns) => TABLE_COLUMNS.filter((column) => column === 'name' || columns.includes(column))),
    }),
  })
  .map(({ only, ...view }) => ({ ...view, onlyMatches: only === 'matches', onlyCritical: only === 'critical' }));

describe('links to a run', () => {
  it('restore the picture', () => {
    fc.assert(
      fc.property(views, (view) => {
        const once = parseRunView(formatRunView(view));
        expect({ ...once, window: null, area: null }).toEqual({ ...view, window: null, area: null });
        expect(once.area?.rows).toEqual(view.area?.rows);
        if (view.area) expect(once.area?.toMs).toBeCloseTo(view.area.toMs, 5);
        if (view.window) expect(once.window?.fromMs).toBeCloseTo(view.window.fromMs, 5);
      }),
    );
  });

  it('say nothing that is the default', () => {
    expect(formatRunView(parseRunView(''))).toBe('');
  });

  it('ignore what makes no sense', () => {
    for (const bad of ['?t=5', '?t=9-3', '?t=a-b', '?t=-1-3']) expect(parseRunView(bad).window).toBeNull();
    expect(parseRunView('?view=pie&color=mood').view).toBe('waterfall');
  });
});
