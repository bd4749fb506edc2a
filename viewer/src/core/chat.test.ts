import { describe, expect, it } from 'vitest';
import { findMessages } from './chat';

describe('chat messages', () => {
  it('are found as a list, under "messages", in choices, and alone', () => {
    const message = { role: 'user', content: 'hello' };
    for (const value of [[message], { model: 'm', messages: [message] }, { choices: [{ message }] }, message]) {
      expect(findMessages(value)).toEqual([{ role: 'user', text: 'hello', toolCalls: [], other: [] }]);
    }
  });

  it('join text parts and keep what is not text', () => {
    const content = [{ type: 'text', text: 'look' }, { type: 'image', url: 'x' }];
    expect(findMessages([{ role: 'user', content }])).toEqual([
      { role: 'user', text: 'look', toolCalls: [], other: [{ type: 'image', url: 'x' }] },
    ]);
  });

  it('read tool calls of both families, also with broken arguments', () => {
    const openai = { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }, { function: { name: 'g', arguments: '{"a' } }] };
    const anthropic = { role: 'assistant', content: [{ type: 'tool_use', name: 'f', input: { a: 1 } }] };
    expect(findMessages([openai])?.[0].toolCalls).toEqual([{ name: 'f', args: { a: 1 } }, { name: 'g', args: '{"a' }]);
    expect(findMessages([anthropic])?.[0].toolCalls).toEqual([{ name: 'f', args: { a: 1 } }]);
  });

  it('read the parts of OpenTelemetry messages', () => {
    expect(findMessages([{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }])?.[0].text).toBe('hi');
  });

  it('are not seen where there are none', () => {
    for (const value of [null, 1, 'x', [], {}, [{ role: 'admin', name: 'Ann' }], [1], { choices: [1] }, { role: 3, content: '' }]) {
      expect(findMessages(value)).toBeNull();
    }
  });
});
