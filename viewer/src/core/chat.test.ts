import { describe, expect, it } from 'vitest';
import { findMessages, readPart, toMessage, type Part } from './chat';

const text = (content: string): Part => ({ type: 'text', text: content });

describe('chat messages', () => {
  it('are found as a list, under "messages", in choices, and alone', () => {
    const message = { role: 'user', content: 'hello' };
    for (const value of [[message], { model: 'm', messages: [message] }, { choices: [{ message }] }, message]) {
      expect(findMessages(value)).toEqual([{ id: null, role: 'user', parts: [text('hello')], bytes: null }]);
    }
  });

  it('read tool calls of both families, also with broken arguments', () => {
    const openai = { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'f', arguments: '{"a":1}' } }, { function: { name: 'g', arguments: '{"a' } }] };
    const anthropic = { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'f', input: { a: 1 } }] };
    const call = { type: 'tool_call', id: '1', name: 'f', args: { a: 1 } };
    expect(findMessages([openai])?.[0].parts).toEqual([call, { type: 'tool_call', id: null, name: 'g', args: '{"a' }]);
    expect(findMessages([anthropic])?.[0].parts).toEqual([call]);
  });

  it('read tool results of both families', () => {
    const openai = { role: 'tool', tool_call_id: '1', content: '{"degrees": 21}' };
    const anthropic = { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: '{"degrees": 21}' }] }] };
    for (const message of [openai, anthropic]) {
      expect(findMessages([message])?.[0].parts).toEqual([{ type: 'tool_result', id: '1', name: null, result: { degrees: 21 } }]);
    }
  });

  it('are not seen where there are none', () => {
    for (const value of [null, 1, 'x', [], {}, [{ role: 'admin', name: 'Ann' }], [1], { choices: [1] }, { role: 3, content: '' }]) {
      expect(findMessages(value)).toBeNull();
    }
  });
});

describe('stored messages', () => {
  it('have no parts until they are loaded', () => {
    expect(toMessage({ message_id: 'm', role: 'user', bytes: 900_000 })).toEqual({ id: 'm', role: 'user', parts: null, bytes: 900_000 });
  });

  it('show whatever their parts are, also when they are broken', () => {
    for (const parts of [[], 'text', 7, { type: 'text', content: 'x' }, [null, 'x', [1]]]) {
      expect(toMessage({ message_id: 'm', role: '', bytes: 1, parts }).role).toBe('unknown');
    }
    expect(toMessage({ message_id: 'm', role: 'user', bytes: 1, parts: 'hi' }).parts).toEqual([text('hi')]);
  });
});

describe('parts', () => {
  it('are text, thinking, calls and results', () => {
    expect(readPart({ type: 'text', content: 'hi' })).toEqual(text('hi'));
    expect(readPart({ type: 'thinking', thinking: 'hm' })).toEqual({ type: 'reasoning', text: 'hm' });
    expect(readPart({ type: 'tool_call', id: '1', name: 'f', arguments: { a: 1 } })).toEqual({ type: 'tool_call', id: '1', name: 'f', args: { a: 1 } });
    expect(readPart({ type: 'tool_call_response', id: '1', response: 'ok' })).toEqual({ type: 'tool_result', id: '1', name: null, result: 'ok' });
  });

  it('name images and files without their bytes', () => {
    const none = { type: 'media', medium: 'image', name: null, mimeType: null, uri: null, bytes: null };
    expect(readPart({ type: 'image', mime_type: 'image/png', uri: 'https://host/a.png' })).toEqual({ ...none, mimeType: 'image/png', uri: 'https://host/a.png' });
    expect(readPart({ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } })).toEqual({ ...none, mimeType: 'image/png', bytes: expect.any(Number) });
    expect(readPart({ type: 'file', name: 'a.pdf', bytes: 12 })).toEqual({ ...none, medium: 'file', name: 'a.pdf', bytes: 12 });
  });

  it('of unknown types stay as they came', () => {
    for (const part of [{ type: 'refusal', refusal: 'no' }, { type: 'hologram', text: 'x' }, {}, null, 3]) {
      expect(readPart(part)).toEqual({ type: 'other', value: part });
    }
  });
});
