import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosenValues, clearValues, facetOptions, FACETS, toggleValue } from './runfacets';
import { noFilters } from './runfilters';

const field = fc.constantFrom(...FACETS.map((facet) => facet.field));
const value = fc.string({ minLength: 1, maxLength: 8 });

describe('facets', () => {
  it('ask for a value and, chosen again, no longer', () => {
    fc.assert(
      fc.property(field, value, (one, text) => {
        const filters = { ...noFilters(), q: 'cost>1' };
        const asked = toggleValue(filters, one, text);
        expect(chosenValues(asked, one)).toEqual([text]);
        expect(toggleValue(asked, one, text)).toEqual(filters);
      }),
    );
  });

  it('take over what a parameter of a link asks for', () => {
    const linked = { ...noFilters(), agent: 'a b' };
    expect(chosenValues(linked, 'agent')).toEqual(['a b']);
    expect(toggleValue(linked, 'agent', 'c')).toEqual({ ...noFilters(), q: 'agent:"a b",c' });
    expect(toggleValue(linked, 'agent', 'a b')).toEqual(noFilters());
    expect(clearValues({ ...linked, q: 'agent:x dur>1s' }, 'agent')).toEqual({ ...noFilters(), q: 'dur>1s' });
  });

  it('offer what is asked for first, also when it is rare', () => {
    const found = [{ value: 'much', runs: 9 }, { value: 'less', runs: 2 }];
    expect(facetOptions(found, ['less', 'rare'], '').map((one) => [one.value, one.runs, one.chosen])).toEqual([
      ['less', 2, true], ['rare', null, true], ['much', 9, false],
    ]);
    expect(facetOptions(found, [], 'MU').map((one) => one.value)).toEqual(['much']);
  });
});
