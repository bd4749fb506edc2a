import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoute, pathBelow, runPath, schedulePath, taskPath } from './route';
import { formatRunFilters, formatRunView, hasFilters, noFilters, parseRunFilters, parseRunView, STATUS_FILTERS } from './urlstate';

const word = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed());
const filters = fc
  .record({ status: fc.subarray([...STATUS_FILTERS]), name: word, agent: word, tag: word, text: word, from: word, min_cost_usd: word })
  .map((some) => ({ ...noFilters(), ...some }));
const ms = fc.integer({ min: 0, max: 1e9 }).map((n) => n / 1000);
const views = fc.record({
  span: fc.option(fc.stringMatching(/^[0-9a-f]{16}$/)),
  window: fc.option(fc.tuple(ms, ms.filter((n) => n > 0)).map(([from, length]) => ({ fromMs: from, toMs: from + length }))),
  query: word,
  tab: fc.option(fc.constantFrom('input', 'error')),
  rawClocks: fc.boolean(),
});

describe('links', () => {
  it('restore the filters', () => {
    fc.assert(fc.property(filters, (some) => void expect(parseRunFilters(formatRunFilters(some))).toEqual(some)));
  });

  it('restore selection, window and search', () => {
    fc.assert(
      fc.property(views, (view) => {
        const once = parseRunView(formatRunView(view));
        expect({ ...once, window: null }).toEqual({ ...view, window: null });
        if (view.window) expect(once.window?.fromMs).toBeCloseTo(view.window.fromMs, 5);
      }),
    );
  });

  it('say nothing that is the default', () => {
    expect(formatRunFilters(noFilters())).toBe('');
    expect(hasFilters({ ...noFilters(), sort: 'name' })).toBe(false);
  });

  it('ignore windows that make no sense', () => {
    for (const bad of ['?t=5', '?t=9-3', '?t=a-b', '?t=-1-3']) expect(parseRunView(bad).window).toBeNull();
  });
});

describe('routes', () => {
  it('name pages', () => {
    expect(parseRoute('')).toEqual({ page: 'runs' });
    expect(parseRoute('runs/')).toEqual({ page: 'runs' });
    for (const page of ['tasks', 'schedules', 'agents', 'sql']) expect(parseRoute(page)).toEqual({ page });
    expect(parseRoute('nothing/here')).toEqual({ page: 'missing', path: 'nothing/here' });
    expect(pathBelow('/a/b/', '/a/b/runs')).toBe('runs');
    expect(pathBelow('/a/b/', '/other')).toBeNull();
  });

  it('restore any run id', () => {
    fc.assert(fc.property(word.filter((id) => id !== ''), (runId) => void expect(parseRoute(runPath(runId))).toEqual({ page: 'run', runId })));
    expect(parseRoute(taskPath('a b'))).toEqual({ page: 'task', taskId: 'a b' });
    expect(parseRoute(schedulePath('é/x'))).toEqual({ page: 'schedule', scheduleId: 'é/x' });
    expect(parseRoute('runs/%E0%A4%A')).toEqual({ page: 'run', runId: '%E0%A4%A' });
  });
});
