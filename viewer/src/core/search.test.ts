import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { ASK, judgeSpans, NO, YES } from './search';
import { patternOf, readSearch } from './searchtext';

const store = storeOf([
  { span_id: 'a', name: 'Summarise page', kind: 'llm', status: 'completed', start_ns: 0, end_ns: 3e9, model: 'gpt-4o', cost_usd: 0.2, input_tokens: 900, output_tokens: 200 },
  { span_id: 'b', name: 'read_file', kind: 'tool', status: 'failed', start_ns: 0, end_ns: 1e9, error_type: 'OSError' },
  { span_id: 'c', name: 'wait', kind: 'task', status: 'running', start_ns: 1e9, agent: 'clerk' },
]);
const verdict = (query: string, wanted: number) => {
  const judgement = judgeSpans(store, query, 10e9);
  return judgement && store.ids.filter((_, row) => judgement.verdicts[row] === wanted);
};

describe('search', () => {
  it.each([
    ['summar', ['a']],
    ['oserror', ['b']],
    ['c', ['c']],
    ['kind:tool', ['b']],
    ['kind:to', []],
    ['kind:t*', ['b', 'c']],
    ['kind:llm,tool', ['a', 'b']],
    ['tool:read_file', ['b']],
    ['status:failed', ['b']],
    ['model:gpt-4o', ['a']],
    ['model:*4o', ['a']],
    ['dur>2s', ['a', 'c']],
    ['dur<2000ms', ['b']],
    ['cost>=$0.2', ['a']],
    ['cost_usd<1', ['a']],
    ['tokens>1k', ['a']],
    ['tokens:0', ['b', 'c']],
    ['kind:llm cost>0.5', []],
    ['kind:llm OR is:live', ['a', 'c']],
    ['-kind:llm', ['b', 'c']],
    ['NOT (kind:llm OR is:live)', ['b']],
    ['has:error', ['b']],
    ['has:agent', ['c']],
    ['"summarise page"', ['a']],
    ['summ*page', ['a']],
  ])('%s finds %j', (query, ids) => expect(verdict(query, YES)).toEqual(ids));

  it.each([
    ['budget', ['a', 'b', 'c']], // may stand in a message
    ['budget kind:llm', ['a']],
    ['error:"No such file"', ['b']],
    ['-error:"No such file"', ['b']],
    ['tag:nightly', ['a', 'b', 'c']],
    ['tag:nightly kind:none', []],
    ['status:failed OR budget', ['a', 'c']],
  ])('%s asks the collector about %j', (query, ids) => expect(verdict(query, ASK)).toEqual(ids));

  it.each(['kind:', '"open', '(kind:llm', 'kind:llm)', 'nofield:x', 'status:fail', 'cost>much', 'dur>2', 'a OR', 'constructor:x', '- x', 'a"b"', 'is:constructor'])(
    'cannot be read: %s',
    (query) => expect(judgeSpans(store, query, 0)).toBeNull(),
  );

  it('finds everything when it asks for nothing', () => expect(verdict(' ', YES)).toEqual(['a', 'b', 'c']));

  it('reads words and fields as the collector does', () => {
    expect(readSearch('a name:"b c",d -(x AND y)')).toEqual({
      op: 'and',
      items: [
        { op: 'term', field: 'text', sign: ':', values: ['a'] },
        { op: 'term', field: 'name', sign: ':', values: ['b c', 'd'] },
        { op: 'not', item: { op: 'and', items: ['x', 'y'].map((word) => ({ op: 'term', field: 'text', sign: ':', values: [word] })) } },
      ],
    });
  });

  it('takes a star after a backslash as a star', () => {
    expect(patternOf('a\\*b*').test('a*b and more')).toBe(true);
    expect(patternOf('a\\*b').test('aXb')).toBe(false);
  });

  it('never throws, whatever is typed', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab:>"()-*\\ ,OR') }), (query) => void judgeSpans(store, query, 0)));
  });

  it('holds the opposite of what is excluded, and leaves the same open', () => {
    const queries = fc.constantFrom('plan', 'kind:llm', 'plan OR kind:tool', 'cost>0.5 plan', 'is:live');
    fc.assert(fc.property(runs, queries, (spans, query) => {
      const held = storeOf(spans);
      const [plain, negated] = [judgeSpans(held, query, 0), judgeSpans(held, `-(${query})`, 0)];
      plain?.verdicts.forEach((each, row) => expect(negated?.verdicts[row]).toBe(each === ASK ? ASK : each === YES ? NO : YES));
    }));
  });
});
