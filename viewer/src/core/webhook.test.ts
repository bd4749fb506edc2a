import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listed, outcome, readWebhookForm, subjectPath, trouble, webhookForm, type Delivery, type Webhook } from './webhook';

const given = { ...webhookForm(), name: ' ops ', url: ' https://hooks.example.com/x ', events: 'task.*, run.failed,, task.*' };

describe('the form of a webhook', () => {
  it('becomes what is asked for', () => {
    expect(readWebhookForm({ ...given, tags: 'a, b' }, true).value).toEqual({
      name: 'ops', url: 'https://hooks.example.com/x', format: 'standard', events: ['task.*', 'run.failed'], agents: [], names: [], tags: ['a', 'b'], description: '', paused: false,
    });
  });

  it('says what is missing or wrong', () => {
    expect(Object.keys(readWebhookForm({ ...webhookForm(), events: '' }, true).errors)).toEqual(['name', 'url', 'events']);
    expect(readWebhookForm({ ...given, url: 'hooks.example.com' }, true).errors.url).toContain('https://');
    for (const events of ['task', 'Task.failed', 'task.*.x', '**']) expect(readWebhookForm({ ...given, events }, true).errors.events).toContain(events);
  });

  it('leaves the address of one that is there alone unless another is given', () => {
    const webhook = { name: 'ops', url: 'https://hooks.slack.com/services/T0/…', format: 'slack', events: ['*'], agents: [], names: ['x'], tags: [], description: '', status: 'paused' };
    const form = webhookForm(webhook as unknown as Webhook);
    const { value } = readWebhookForm(form, false);
    expect(value).not.toHaveProperty('url');
    expect(value).not.toHaveProperty('paused');
    expect(value).toMatchObject({ events: ['*'], names: ['x'], format: 'slack' });
  });

  it('reads lists that nobody can write wrongly', () => {
    fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z.*]{1,8}$/)), (words) => void expect(listed(words.join(' , '))).toEqual([...new Set(words)])));
  });
});

describe('what is told of a webhook', () => {
  const webhook = { status: 'active', reason: '', failing_since: null, last_error: 'answered 500' } as Webhook;

  it('is silent about what is over', () => {
    expect(trouble(webhook)).toBe('');
    expect(trouble({ ...webhook, failing_since: '2026-01-01T00:00:00Z' })).toBe('answered 500');
    expect(trouble({ ...webhook, status: 'disabled', reason: 'it answered 410 Gone' })).toBe('it answered 410 Gone');
  });

  it('leads to what a delivery is about', () => {
    expect(outcome(204, null)).toBe('answered 204');
    expect(outcome(null, 'no answer within 20 s')).toBe('no answer within 20 s');
    expect(subjectPath({ type: 'task.failed', subject: 'a/b' } as Delivery)).toBe('tasks/a%2Fb');
    expect(subjectPath({ type: 'ask.opened', subject: 'a' } as Delivery)).toBe('approvals/a');
    expect(subjectPath({ type: 'webhook.test', subject: 'w' } as Delivery)).toBeNull();
  });
});
