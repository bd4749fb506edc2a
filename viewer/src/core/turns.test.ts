import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMessages, type ChatMessage } from './chat';
import { chatText, MOST_FRESH, pairTools, splitInput } from './turns';

const message = (role: string): ChatMessage => ({ id: null, role, parts: [{ type: 'text', text: role }], bytes: null });
const roles = (messages: readonly ChatMessage[]) => messages.map(({ role }) => role).join(' ');

describe('what was sent', () => {
  it('is new after the model\'s last message', () => {
    const { earlier, fresh } = splitInput(['system', 'user', 'assistant', 'tool', 'tool'].map(message));
    expect(roles(earlier)).toBe('system user assistant');
    expect(roles(fresh)).toBe('tool tool');
  });

  it('is all new in a first call', () => {
    expect(roles(splitInput(['system', 'user'].map(message)).fresh)).toBe('system user');
    expect(splitInput([])).toEqual({ earlier: [], fresh: [] });
  });

  it('is divided without loss, and never shows nothing', () => {
    const some = fc.array(fc.constantFrom('system', 'user', 'assistant', 'tool'), { maxLength: 60 });
    fc.assert(fc.property(some, (list) => {
      const input = list.map(message);
      const { earlier, fresh } = splitInput(input);
      expect([...earlier, ...fresh]).toEqual(input);
      expect(fresh.length).toBeLessThanOrEqual(MOST_FRESH);
      expect(fresh.length > 0).toBe(input.length > 0);
    }));
  });
});

describe('tool results', () => {
  const call = (id: string | null, name: string) => ({ role: 'assistant', content: [{ type: 'tool_call', id, name, arguments: {} }] });
  const result = (id: string | null, name?: string) => ({ role: 'tool', content: [{ type: 'tool_result', id, name, result: 'ok' }] });
  const names = (...list: object[]) => [...pairTools({ input: findMessages(list) ?? [], output: [] })].map(([, { id, name }]) => id ?? name);

  it('find their call by id', () => {
    expect(names(call('1', 'f'), call('2', 'g'), result('2'), result('1'), result('3'))).toEqual(['2', '1']);
  });

  it('find their call by name where there is no id, each its own', () => {
    const pairs = pairTools({ input: findMessages([call(null, 'f'), call(null, 'f'), result(null, 'f'), result(null, 'f'), result(null, 'f')]) ?? [], output: [] });
    expect(pairs.size).toBe(2);
    expect(new Set(pairs.values()).size).toBe(2);
  });
});

it('a conversation is copied as text under its roles', () => {
  const input = findMessages([{ role: 'user', content: ['look', { type: 'image', mime_type: 'image/png' }] }]) ?? [];
  const output = findMessages([{ role: 'assistant', content: [{ type: 'tool_call', name: 'f', arguments: { a: 1 } }] }]) ?? [];
  expect(chatText({ input, output })).toBe('## user\n\nlook\n\n[image image/png]\n\n## assistant\n\nf {\n  "a": 1\n}');
});
