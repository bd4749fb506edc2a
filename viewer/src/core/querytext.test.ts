import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charactersAt, isWhole, quoteValue, readValue, unitsAt, valuesOf, withValues } from './querytext';

const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((text) => text.isWellFormed() && !text.includes('\0'));
const term = fc.constantFrom('refused', '"connection refused"', 'cost>0.05', '-tag:test', 'NOT model:x', 'span(kind:llm model:y)', 'name:"Fetch *"', '(a OR model:z)');
const query = fc.array(term, { maxLength: 5 }).map((terms) => terms.join(' '));

describe('text of a search', () => {
  it('holds the values that were put in', () => {
    fc.assert(
      fc.property(query, fc.array(value, { minLength: 1, maxLength: 3 }), (text, values) => {
        const edited = withValues(text, 'model', values.map(quoteValue));
        expect(valuesOf(edited, 'model').map(readValue)).toEqual(values);
        expect(isWhole(edited)).toBe(true);
      }),
    );
  });

  it('is what it was when values are taken out again', () => {
    fc.assert(
      fc.property(query, value, (text, one) => {
        expect(withValues(withValues(text, 'model', [quoteValue(one)]), 'model', [])).toBe(text);
      }),
    );
  });

  it('edits only what every result fulfils', () => {
    expect(valuesOf('-model:a NOT model:b (model:c) span(model:d) model>e', 'model')).toEqual([]);
    expect(valuesOf('x model:a OR y', 'model')).toEqual([]);
    expect(withValues('model:a OR b', 'model', ['c'])).toBe('(model:a OR b) model:c');
    expect(withValues('cost>1 model:a,"b c" dur>2s', 'model', ['z'])).toBe('cost>1 model:z dur>2s');
  });

  it('is not whole while something is missing', () => {
    for (const text of ['status:', 'cost>', '"open', 'a OR', '(a', '-', 'tag:a,', 'NOT', 'span(kind:llm']) expect(isWhole(text)).toBe(false);
    for (const text of ['', 'a', 'status:failed', '(a OR b) c', '-tag:x', 'cost>0.05 "two words"']) expect(isWhole(text)).toBe(true);
  });

  it('counts characters as the collector does', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'é', '字', '🙂', '👩‍🚀')).map((some) => some.join('')), fc.nat(30), (text, some) => {
        const at = some % ([...text].length + 1);
        expect(charactersAt(text, unitsAt(text, at))).toBe(at);
      }),
    );
    expect(unitsAt('🙂x', 1)).toBe(2);
  });
});
