import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyActionForm, readAction, WrongField, type ActionForm } from './actionform';
import { formatJson, parseJson } from './json';
import { ACTIONS } from './task';

const form = (given: Partial<ActionForm>): ActionForm => ({ ...emptyActionForm(), ...given });
const read = (action: (typeof ACTIONS)[number], given: Partial<ActionForm>, before: Partial<ActionForm> = {}, by = '') =>
  readAction(action, form(given), form(before), by);

describe('the form of an action', () => {
  it('sends what was changed, and nothing else', () => {
    const before = { input: '{\n  "a": 1\n}', context: '2' };
    expect(read('edit', { ...before, input: '{"a": 2}' }, before)).toEqual({ input: { a: 2 }, interrupt: true });
    expect(read('edit', { ...before, context: '' }, before)).toEqual({ context: null, interrupt: true });
    expect(() => read('edit', before, before)).toThrow('nothing is changed yet');
  });

  it('names the field that is not JSON', () => {
    for (const [action, field] of [['edit', 'input'], ['run', 'input'], ['complete', 'result'], ['edit', 'context']] as const) {
      try {
        read(action, { [field]: '{a' });
        expect.unreachable();
      } catch (cause) {
        expect(cause).toBeInstanceOf(WrongField);
        expect((cause as WrongField).field).toBe(field);
      }
    }
  });

  it('keeps numbers that a double cannot hold', () => {
    const body = read('complete', { result: '{"id": 9007199254740993}' });
    expect(formatJson(body)).toContain('9007199254740993');
  });

  it('gives a task to an agent, a team, or whoever handles it', () => {
    expect(read('redirect', { agent: ' b ' })).toEqual({ agent: 'b' });
    expect(read('redirect', { team: 'night', reason: ' late ' })).toEqual({ team: 'night', reason: 'late' });
    expect(read('redirect', {})).toEqual({});
    expect(() => read('redirect', { agent: 'b', team: 'night' })).toThrow('an agent is given too');
  });

  it('tells who, where the request takes it', () => {
    expect(read('cancel', { reason: 'enough' }, {}, 'ann')).toEqual({ reason: 'enough', by: 'ann' });
    expect(read('run', {}, {}, 'ann')).toEqual({});
    expect(read('delete', { reason: 'x' }, {}, 'ann')).toEqual({});
  });

  it('sends any JSON as it is', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const body = read('complete', { result: formatJson(value) });
      expect(formatJson(body.result)).toBe(formatJson(parseJson(formatJson(value))));
    }));
  });
});
