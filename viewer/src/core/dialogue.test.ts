import { describe, expect, test } from 'vitest';
import { storeOf } from './arbitraries';
import { buildDialogue, entryText, type Entry, type Turn } from './dialogue';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';

function span(id: string, start: number, fields: Partial<SpanSkeleton> = {}): SpanSkeleton {
  return { span_id: id, name: id, kind: 'llm', status: 'completed', start_ns: start, end_ns: start + 5, ...fields };
}

function dialogue(spans: readonly SpanSkeleton[], turns: readonly Turn[]): Entry[] {
  const store = storeOf(spans);
  return buildDialogue(turns, store, buildTree(store));
}

let made = 0;
const said = (role: string, ...parts: unknown[]) => ({
  message_id: `m${made++}`, role, bytes: 1, parts: parts.map((part) => (typeof part === 'string' ? { type: 'text', content: part } : part)),
});
const call = (id: string, name: string) => ({ type: 'tool_call', id, name, arguments: { of: id } });
const result = (id: string, of: unknown) => ({ type: 'tool_result', id, result: of });

/** One line per entry. */
function told(entries: readonly Entry[]): string[] {
  return entries.map((entry) => {
    const indent = ' '.repeat(entry.depth);
    if (entry.type === 'message') return `${indent}${entry.message.role}: ${entryText(entry)}`;
    if (entry.type === 'tool') {
      const value = (of: { value?: unknown } | null) => (of === null ? '-' : JSON.stringify(of.value));
      return `${indent}${entry.name}(${value(entry.args)}) = ${entry.error ?? value(entry.result)} by ${entry.toolSpan}`;
    }
    return `${indent}[${entry.type}${'name' in entry ? ` ${entry.name}` : ''}${'count' in entry ? ` ${entry.count}` : ''}]`;
  });
}

describe('buildDialogue', () => {
  test('tells each tool once, where the model called it, with the result of its span', () => {
    const spans = [span('ask', 0), span('look', 10, { kind: 'tool' }), span('fetch', 11, { kind: 'tool' }), span('answer', 20)];
    const entries = dialogue(spans, [
      { span_id: 'ask', input: [said('user', 'Warm?')], output: [said('assistant', 'let me see', call('1', 'look'), call('2', 'get'))] },
      { span_id: 'look', sent: { bytes: 2, value: 'span args' }, returned: { bytes: 2, value: 21 } },
      { span_id: 'fetch', call_id: '2', returned: { bytes: 2, value: 'sun' } },
      { span_id: 'answer', repeated: 2, input: [said('tool', result('1', 20)), said('tool', result('2', 'rain'))], output: [said('assistant', 'Yes.')] },
    ]);
    expect(told(entries)).toEqual([
      'user: warm?',
      'assistant: let me see',
      'look({"of":"1"}) = 21 by look',
      'get({"of":"2"}) = "sun" by fetch',
      '[repeated 2]',
      'assistant: yes.',
    ]);
  });

  test('takes results from messages where tools have no spans, and keeps results of unknown calls', () => {
    const entries = dialogue(
      [span('a', 0), span('b', 10)],
      [
        { span_id: 'a', output: [said('assistant', call('1', 'look'))] },
        { span_id: 'b', input: [said('tool', result('1', 'sun')), said('tool', result('9', 'odd'))] },
      ],
    );
    expect(told(entries)).toEqual(['look({"of":"1"}) = "sun" by null', 'tool: odd']);
  });

  test('gives an id that is used again to the latest call', () => {
    const turn = (id: string): Turn => ({ span_id: id, output: [said('assistant', call('1', 'look'))] });
    const tool = (id: string, value: number): Turn => ({ span_id: id, call_id: '1', returned: { bytes: 1, value } });
    const spans = [span('a', 0), span('ta', 5, { kind: 'tool' }), span('b', 10), span('tb', 15, { kind: 'tool' })];
    const entries = dialogue(spans, [turn('a'), tool('ta', 1), turn('b'), tool('tb', 2)]);
    expect(told(entries)).toEqual(['look({"of":"1"}) = 1 by ta', 'look({"of":"1"}) = 2 by tb']);
  });

  test('keeps sub-agents together, indented, although they work at the same time', () => {
    const agent = (id: string, start: number, parent: string | null) => span(id, start, { kind: 'agent', parent_span_id: parent, end_ns: 100 });
    const by = (id: string, start: number, parent: string) => span(id, start, { parent_span_id: parent });
    const spans = [agent('lead', 0, null), by('l1', 1, 'lead'), agent('x', 10, 'lead'), agent('y', 11, 'lead')];
    const work = [by('x1', 12, 'x'), by('y1', 13, 'y'), by('x2', 14, 'x'), by('y2', 15, 'y'), by('l2', 90, 'lead')];
    const turns = ['l1', 'x1', 'y1', 'x2', 'y2', 'l2'].map((id) => ({ span_id: id, output: [said('assistant', id)] }));
    expect(told(dialogue([...spans, ...work], turns))).toEqual([
      'assistant: l1',
      ' [agent x]', ' assistant: x1', ' assistant: x2',
      ' [agent y]', ' assistant: y1', ' assistant: y2',
      '[agent lead]', 'assistant: l2',
    ]);
  });

  test('says what failed, what waits, and what is no message', () => {
    const spans = [
      span('bad', 0, { status: 'failed' }),
      span('odd', 10),
      span('tool', 20, { kind: 'tool', status: 'failed', error_type: 'TimeoutError' }),
      span('open', 30, { status: 'running', end_ns: null }),
    ];
    const entries = dialogue(spans, [
      { span_id: 'bad', error_message: 'no quota' },
      { span_id: 'odd', sent: { bytes: 5, value: { prompt: 'hi' } }, returned: { bytes: 900, head: '"lo' } },
      { span_id: 'tool' },
      { span_id: 'open', input: [said('user', 'and?')] },
      { span_id: 'not here yet' },
    ]);
    expect(told(entries)).toEqual(['[error]', '[captured]', '[captured]', 'tool(-) = TimeoutError by tool', 'user: and?', '[waiting]']);
    expect(entries.map(entryText).slice(0, 3)).toEqual(['no quota', '{"prompt":"hi"}', '"lo']);
  });

  test('finds messages in captured values, and folds those before the model spoke last', () => {
    const list = [said('system', 's'), said('user', 'a'), said('assistant', 'b'), said('user', 'c')].map(({ role, parts }) => ({ role, content: parts }));
    const entries = dialogue([span('a', 0)], [{ span_id: 'a', sent: { bytes: 9, value: { messages: list } }, returned: { bytes: 9, value: { role: 'assistant', content: 'd' } } }]);
    expect(told(entries)).toEqual(['[repeated 3]', 'user: c', 'assistant: d']);
  });

  test('gives every entry a key of its own', () => {
    const entries = dialogue([span('a', 0)], [{ span_id: 'a', repeated: 1, input: [said('user', 'x'), said('user', 'x')], output: [said('assistant', call('1', 'l'), call('1', 'l'))] }]);
    expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
  });
});
