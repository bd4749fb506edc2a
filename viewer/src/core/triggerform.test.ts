import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Condition, InputField, Trigger } from './trigger';
import { addressOf, countsText, firesOn, readHeaderLines, troubles } from './trigger';
import { conditionLine, emptyTriggerForm, fieldLine, formOf, readConditionLine, readDryRun, readFieldLine, readTriggerForm } from './triggerform';

const NONE = { accepted: 0, duplicate: 0, filtered: 0, refused: 0, limited: 0, failed: 0 };
const TRIGGER: Trigger = {
  id: 'g1', name: 'triage', kind: 'webhook', enabled: true, task: { name: 'triage', agent: 'ann', tags: ['a'] }, description: 'what fails',
  conditions: [{ header: 'X-GitHub-Event', equals: 'issues' }, { pointer: '/action', one_of: ['opened', 'reopened'] }],
  mapping: [{ name: 'title', pointer: '/issue/title', required: true }, { name: 'source', value: 'github' }],
  key_from: '/issue/number', description_from: null, rate_limit: 5, keep_payload_days: 1, created_at: '', updated_at: '', counts: NONE,
  last_at: null, last_outcome: null, signature: { scheme: 'github' }, max_body_bytes: 1, path: '/api/hooks/abc', previous_path: null,
  previous_until: null, event: null, where: null, max_depth: null,
};
const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/);
const place = fc.stringMatching(/^(\/[a-z0-9~_-]{1,6}){1,3}$/);
const header = fc.stringMatching(/^[A-Z][A-Za-z-]{1,9}$/);
const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 3 }));

describe('lines of the mapping', () => {
  test('are read back as they were written', () => {
    const origin = fc.oneof(place.map((pointer) => ({ pointer })), header.map((text) => ({ header: text })), fc.constant({ pointer: '' }));
    const rest = fc.oneof(fc.constant({}), fc.constant({ required: true }), value.map((one) => ({ default: one })));
    const field: fc.Arbitrary<InputField> = fc.oneof(
      fc.tuple(name, origin, rest).map(([one, from, more]) => ({ name: one, ...from, ...more })),
      fc.tuple(name, value).map(([one, constant]) => ({ name: one, value: constant })),
    );
    fc.assert(fc.property(field, (one) => { expect(readFieldLine(fieldLine(one))).toEqual(one); }));
  });

  test.each(['title', '= /a', 'title = opened', 'title = /a ?? x'])('%s says what is wrong with it', (line) => {
    expect(() => readFieldLine(line)).toThrow(SyntaxError);
  });
});

describe('lines of the conditions', () => {
  test('are read back as they were written', () => {
    const origin = fc.oneof(place.map((pointer) => ({ pointer })), header.map((text) => ({ header: text })), fc.constant({ pointer: '' }));
    const wanted = fc.oneof(
      value.map((equals) => ({ equals })), fc.array(value, { minLength: 2, maxLength: 4 }).map((one_of) => ({ one_of })),
      fc.boolean().map((exists) => ({ exists })),
    );
    const condition: fc.Arbitrary<Condition> = fc.tuple(origin, wanted).map(([from, what]) => ({ ...from, ...what }));
    fc.assert(fc.property(condition, (one) => { expect(readConditionLine(conditionLine(one))).toEqual(one); }));
  });

  test('take texts without quotes', () => {
    expect(readConditionLine('/action = opened, reopened')).toEqual({ pointer: '/action', one_of: ['opened', 'reopened'] });
    expect(readConditionLine('X-GitHub-Event = issues')).toEqual({ header: 'X-GitHub-Event', equals: 'issues' });
    expect(readConditionLine('/n = 1, two')).toEqual({ pointer: '/n', one_of: [1, 'two'] });
  });

  test.each(['/action', '= 1', '/a is 1'])('%s says what is wrong with it', (line) => {
    expect(() => readConditionLine(line)).toThrow(SyntaxError);
  });
});

describe('the form', () => {
  test('of a trigger changes nothing when nothing is changed', () => {
    const { value: body } = readTriggerForm(formOf(TRIGGER), TRIGGER);
    expect(body).toEqual({
      name: 'triage', description: 'what fails', task: { ...TRIGGER.task, priority: 'medium' }, conditions: TRIGGER.conditions,
      mapping: TRIGGER.mapping, key_from: '/issue/number', description_from: null, rate_limit: 5, keep_payload_days: 1,
    });
  });

  test('makes what the API takes', () => {
    const form = { ...emptyTriggerForm(), name: 'gh', taskName: 'triage', mapping: 'title = /issue/title' };
    expect(readTriggerForm(form).value).toEqual({
      name: 'gh', kind: 'webhook', task: { name: 'triage' }, signature: { scheme: 'github' }, conditions: [],
      mapping: [{ name: 'title', pointer: '/issue/title' }], rate_limit: 600, keep_payload_days: 7,
    });
    const event = readTriggerForm({ ...form, kind: 'event', event: 'task.*', where: 'name:x ', mapping: '' }).value;
    expect(event).toMatchObject({ kind: 'event', event: 'task.*', where: 'name:x', max_depth: 3 });
    expect(event).not.toHaveProperty('signature');
    const hmac = readTriggerForm({ ...form, scheme: 'hmac', secret: ' s ', prefix: 'sha256=', deliveryHeader: 'X-Id' }).value;
    expect(hmac).toMatchObject({ secret: 's', signature: { scheme: 'hmac', header: 'X-Signature', prefix: 'sha256=', delivery_header: 'X-Id' } });
  });

  test('says what is wrong with each field', () => {
    const { errors } = readTriggerForm({ ...emptyTriggerForm(), mapping: 'x', conditions: 'y', keyFrom: 'a', rateLimit: '0' });
    expect(Object.keys(errors ?? {}).sort()).toEqual(['conditions', 'keyFrom', 'mapping', 'name', 'rateLimit', 'taskName']);
  });
});

test('a trigger is told in words', () => {
  expect(firesOn(TRIGGER)).toBe('webhook of GitHub');
  expect(firesOn({ ...TRIGGER, signature: null, event: 'run.failed', where: 'cost>1' })).toBe('run.failed where cost>1');
  expect(addressOf(TRIGGER, 'http://127.0.0.1:4600/prefix/')).toBe('http://127.0.0.1:4600/prefix/api/hooks/abc');
  expect(countsText(NONE)).toBe('nothing yet');
  expect(countsText({ ...NONE, accepted: 2, failed: 1 })).toBe('2 accepted, 1 failed');
  expect(troubles({ ...NONE, accepted: 2, failed: 1, limited: 1, refused: 1 })).toBe(3);
});

describe('a dry run', () => {
  test('is of the form as it stands, with or without a name', () => {
    const { value } = readDryRun({ ...emptyTriggerForm(), taskName: 'triage', secret: 'never shown', conditions: '/a exists' });
    expect(value).toMatchObject({ name: 'dry run', kind: 'webhook', definition: { signature: { scheme: 'github' }, task: { name: 'triage' } } });
    expect(JSON.stringify(value)).not.toContain('never shown');
  });

  test('of a change keeps what the form does not show', () => {
    const { value } = readDryRun({ ...formOf(TRIGGER), mapping: '' }, TRIGGER);
    expect(value).toMatchObject({ name: 'triage', kind: 'webhook' });
    expect(value?.definition).toMatchObject({ mapping: null, signature: TRIGGER.signature, max_body_bytes: 1, conditions: TRIGGER.conditions });
    expect(Object.keys(value?.definition as object)).not.toContain('name');
  });

  test('needs what the trigger needs', () => {
    expect(readDryRun(emptyTriggerForm()).errors).toHaveProperty('taskName');
  });
});

test('headers are read line by line', () => {
  expect(readHeaderLines('X-A: b: c\n\nnothing\n B:d ')).toEqual({ 'X-A': 'b: c', B: 'd' });
});
