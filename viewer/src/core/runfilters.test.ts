import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRunFilters, hasFilters, noFilters, parseRunFilters, STATUS_FILTERS } from './runfilters';

const word = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed());
const filters = fc
  .record({ status: fc.subarray([...STATUS_FILTERS]), name: word, agent: word, tag: word, text: word, from: word, min_cost_usd: word })
  .map((some) => ({ ...noFilters(), ...some }));

describe('filters', () => {
  it('are restored from an address', () => {
    fc.assert(fc.property(filters, (some) => void expect(parseRunFilters(formatRunFilters(some))).toEqual(some)));
  });

  it('say nothing that is the default', () => {
    expect(formatRunFilters(noFilters())).toBe('');
    expect(hasFilters({ ...noFilters(), sort: 'name' })).toBe(false);
  });
});
