import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJson, parseJson } from './json';
import { emptyTaskForm, parseJsonField, readTaskForm, type TaskForm } from './taskform';

const form = (some: Partial<TaskForm>): TaskForm => ({ ...emptyTaskForm(), name: 'extract', ...some });

describe('the form of a task', () => {
  it('says only what is not a default', () => {
    expect(readTaskForm(form({})).value).toEqual({ name: 'extract' });
  });

  it('takes any JSON as input', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(formatJson(readTaskForm(form({ input: text })).value?.input)).toBe(formatJson(parseJson(text)));
      }),
    );
  });

  it('turns seconds into milliseconds, lists into lists and local times into instants', () => {
    const { value } = readTaskForm(form({ timeoutS: '1.5', maxRetries: '0', tags: 'nightly, etl nightly', deadline: '2026-11-21T12:00', memory: false }));
    expect(value).toMatchObject({ settings: { timeout_ms: 1500, max_retries: 0, memory: false }, tags: ['nightly', 'etl'] });
    expect(Date.parse(value?.deadline as string)).toBe(new Date(2026, 10, 21, 12).getTime());
  });

  it('names every field that cannot be read', () => {
    const { errors } = readTaskForm(form({ name: ' ', input: '{"a"', maxRetries: '-1', heartbeatS: '0.2', runAt: 'soon' }));
    expect(Object.keys(errors ?? {}).sort()).toEqual(['heartbeatS', 'input', 'maxRetries', 'name', 'runAt']);
    expect(errors?.input).toMatch(/^this is not JSON/);
  });

  it('never yields both a task and errors', () => {
    fc.assert(
      fc.property(fc.record({ name: fc.string(), input: fc.string(), maxRetries: fc.string() }), (some) => {
        const { value, errors } = readTaskForm(form(some));
        expect((value === null) !== (errors === null)).toBe(true);
      }),
    );
  });
});

it('a field that is not JSON says so', () => {
  expect(() => parseJsonField('nope')).toThrow(/this is not JSON/);
});
