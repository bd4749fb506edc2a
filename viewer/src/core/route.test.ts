import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askPath, parseRoute, pathBelow, routeKey, runPath, schedulePath, taskPath, webhookPath } from './route';

const word = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed());

describe('routes', () => {
  it('name pages', () => {
    expect(parseRoute('')).toEqual({ page: 'runs' });
    expect(parseRoute('runs/')).toEqual({ page: 'runs' });
    for (const page of ['tasks', 'schedules', 'triggers', 'agents', 'sql', 'compare', 'flame', 'settings']) expect(parseRoute(page)).toEqual({ page });
    expect(parseRoute('insights')).toEqual({ page: 'insights', board: null });
    expect(parseRoute('insights/cost')).toEqual({ page: 'insights', board: 'cost' });
    expect(parseRoute('approvals')).toEqual({ page: 'approvals', askId: null });
    expect(parseRoute(askPath('a/b'))).toEqual({ page: 'approvals', askId: 'a/b' });
    expect(routeKey(parseRoute(askPath('a')))).toBe(routeKey(parseRoute(askPath(null)))); // the list stays when another ask is opened
    expect(parseRoute('nothing/here')).toEqual({ page: 'missing', path: 'nothing/here' });
    expect(pathBelow('/a/b/', '/a/b/runs')).toBe('runs');
    expect(pathBelow('/a/b/', '/other')).toBeNull();
  });

  it('restore any run id', () => {
    fc.assert(fc.property(word.filter((id) => id !== ''), (runId) => void expect(parseRoute(runPath(runId))).toEqual({ page: 'run', runId })));
    expect(parseRoute(taskPath('a b'))).toEqual({ page: 'task', taskId: 'a b' });
    expect(parseRoute(schedulePath('é/x'))).toEqual({ page: 'schedule', scheduleId: 'é/x' });
    expect(parseRoute(webhookPath('w/1'))).toEqual({ page: 'webhook', webhookId: 'w/1' });
    expect(parseRoute('webhooks')).toEqual({ page: 'webhooks' });
    expect(parseRoute('runs/%E0%A4%A')).toEqual({ page: 'run', runId: '%E0%A4%A' });
  });
});
