import { describe, expect, it } from 'vitest';
import { storeOf } from './arbitraries';
import { searchSpans, splitTerms } from './search';

const store = storeOf([
  { span_id: 'a', name: 'Summarise page', kind: 'llm', status: 'completed', start_ns: 0, end_ns: 3e9, model: 'gpt-4o', cost_usd: 0.2, input_tokens: 900, output_tokens: 200 },
  { span_id: 'b', name: 'read_file', kind: 'tool', status: 'failed', start_ns: 0, end_ns: 1e9, error_type: 'OSError' },
  { span_id: 'c', name: 'wait', kind: 'task', status: 'running', start_ns: 1e9 },
]);
const found = (query: string) => store.ids.filter((_, row) => searchSpans(store, query, 10e9)?.[row]);

describe('search', () => {
  it.each([
    ['summar', ['a']],
    ['oserror', ['b']],
    ['kind:tool', ['b']],
    ['status:fail', ['b']],
    ['model:4o', ['a']],
    ['dur>2s', ['a', 'c']],
    ['dur<2000ms', ['b']],
    ['cost>0.05', ['a']],
    ['tokens>1000', ['a']],
    ['kind:llm cost>0.5', []],
    ['"summarise page"', ['a']],
    ['id:c', ['c']],
  ])('%s finds %j', (query, ids) => expect(found(query)).toEqual(ids));

  it('has no opinion without terms', () => expect(searchSpans(store, '  ', 0)).toBeNull());

  it('keeps quoted words together', () => expect(splitTerms('a name:"b c" "d')).toEqual(['a', 'name:b c', 'd']));
});
