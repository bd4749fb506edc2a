import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askQuery, formatAskFilters, hasAskFilters, noAskFilters, parseAskFilters } from './askfilters';
import { ASK_KINDS, ASK_STATUSES, currentAction, currentDigest, decisionText, deciderText, mergeHeld, movesOf, nextCurrent, optionsOf, originPath, teamsToDecideFor, timeLeft, whyNotMine, type Ask } from './asks';

function askOf(given: Partial<Ask> = {}): Ask {
  return {
    id: 'a1', kind: 'approval', status: 'open', key: 'k', title: 'Pay?', details: '', action: { usd: 5 }, action_digest: 'd0', options: [],
    schema: null, approvers: [], quorum: 1, approvals: 0, on_expiry: 'continue', created_at: '2026-11-21T12:00:00Z', expires_at: null,
    decisions: [], edited_action: null, edited_digest: null, closed_at: null, task_id: null, task_name: null, agent: null, attempt: null,
    run_id: null, span_id: null, received_at: null, alarmed_at: null, answer: null, consumed_by: null, ...given,
  };
}

describe('what an ask takes', () => {
  it('is nothing once it is closed', () => {
    for (const status of ASK_STATUSES) expect(movesOf(askOf({ status })).length > 0).toBe(status === 'open');
  });

  it('is an answer to a question, and yes or no to an approval', () => {
    expect(movesOf(askOf())).toEqual(['approve', 'edit', 'reject', 'delegate']);
    expect(movesOf(askOf({ action: null }))).toEqual(['approve', 'reject', 'delegate']);
    expect(movesOf(askOf({ kind: 'question' }))).toEqual(['answer', 'reject', 'delegate']);
    expect(movesOf(askOf({ kind: 'budget' }))).toEqual(['approve', 'reject', 'delegate']);
  });

  it('knows options that approve and those that do not', () => {
    const ask = askOf({ options: [{ name: 'now' }, { name: 'never', approves: false }] });
    expect(optionsOf(ask, true).map((one) => one.name)).toEqual(['now']);
    expect(optionsOf(ask, false).map((one) => one.name)).toEqual(['never']);
  });

  it('is about the action as it was edited', () => {
    const edited = askOf({ edited_action: { usd: 3 }, edited_digest: 'd1' });
    expect([currentAction(edited), currentDigest(edited)]).toEqual([{ usd: 3 }, 'd1']);
    expect([currentAction(askOf()), currentDigest(askOf())]).toEqual([{ usd: 5 }, 'd0']);
  });
});

describe('who may decide', () => {
  it('is anybody where nobody is named, and somebody with a name where several must', () => {
    expect(whyNotMine(askOf(), '')).toBeNull();
    expect(whyNotMine(askOf({ quorum: 2 }), '')).toContain('who you are');
    expect(whyNotMine(askOf({ approvers: ['ann'] }), '')).toContain('who you are');
    expect(whyNotMine(askOf({ approvers: ['ann'] }), 'ann')).toBeNull();
    expect(whyNotMine(askOf({ approvers: ['ann', 'team:night'] }), 'bo')).toBeNull();
    expect(whyNotMine(askOf({ approvers: ['ann'] }), 'bo')).toBe('This is for ann, not for bo.');
  });

  it('decides for a team only where he is not named himself', () => {
    const ask = askOf({ approvers: ['ann', 'team:night', 'team:day'] });
    expect(teamsToDecideFor(ask, 'bo')).toEqual(['night', 'day']);
    expect(teamsToDecideFor(ask, 'ann')).toEqual([]);
    expect(teamsToDecideFor(askOf(), 'ann')).toEqual([]);
  });
});

it('time runs out, and never below nothing', () => {
  const ask = askOf({ expires_at: '2026-11-21T12:10:00Z' });
  const at = (minutes: number) => timeLeft(ask, Date.parse('2026-11-21T12:00:00Z') + minutes * 60_000);
  expect(at(0)).toEqual({ ms: 600_000, part: 1 });
  expect(at(5)).toEqual({ ms: 300_000, part: 0.5 });
  expect(at(11)).toEqual({ ms: 0, part: 0 });
  expect(timeLeft(askOf(), 0)).toBeNull();
});

it('decisions are told in words', () => {
  expect(decisionText({ decision: 'delegate', at: '', via: 'cli', to: ['bo', 'team:night'] })).toBe('delegated to bo, team night');
  expect(decisionText({ decision: 'approve', at: '', via: 'link', option: 'later' })).toBe('approved “later”');
  expect(deciderText({ via: 'link', by: 'ann', team: 'night' })).toBe('ann for team night, via link');
});

it('leads to the task, else to the run', () => {
  expect(originPath(askOf({ task_id: 't', run_id: 'r' }))).toBe('tasks/t');
  expect(originPath(askOf({ run_id: 'r' }))).toBe('runs/r');
  expect(originPath(askOf())).toBeNull();
});

describe('the cursor', () => {
  const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'));
  const asks = (list: readonly string[]) => list.map((id) => ({ id }));

  it('stays on what stays, and otherwise is somewhere in the list', () => {
    fc.assert(fc.property(ids, ids, fc.option(fc.constantFrom('a', 'b', 'c')), (before, after, current) => {
      const next = nextCurrent(asks(before), asks(after), current);
      if (current !== null && after.includes(current)) expect(next).toBe(current);
      else if (after.length === 0) expect(next).toBeNull();
      else if (current !== null) expect(after).toContain(next);
    }));
  });

  it('has a list under it that does not move while it is held', () => {
    fc.assert(fc.property(ids, ids, (shown, fresh) => {
      const { asks: merged, gone } = mergeHeld(asks(shown), asks(fresh));
      expect(merged.slice(0, shown.length).map((ask) => ask.id)).toEqual(shown);
      expect(new Set(merged.map((ask) => ask.id))).toEqual(new Set([...shown, ...fresh]));
      expect([...gone].sort()).toEqual(shown.filter((id) => !fresh.includes(id)).sort());
    }));
  });

  it('goes to what follows what has left', () => {
    expect(nextCurrent(asks(['a', 'b', 'c']), asks(['a', 'c']), 'b')).toBe('c');
    expect(nextCurrent(asks(['a', 'b']), asks(['a']), 'b')).toBe('a');
  });
});

describe('the address', () => {
  const filters = fc.record({
    status: fc.subarray([...ASK_STATUSES]), kind: fc.subarray([...ASK_KINDS]), agent: fc.uniqueArray(fc.string({ minLength: 1 })),
    approver: fc.uniqueArray(fc.string({ minLength: 1 })), text: fc.string(), taskId: fc.string(), runId: fc.string(),
  });

  it('says all that narrows, and comes back as it was', () => {
    fc.assert(fc.property(filters, (given) => {
      expect(parseAskFilters(formatAskFilters(given))).toEqual(given);
    }));
  });

  it('means what is open when it says nothing', () => {
    expect(formatAskFilters(noAskFilters())).toBe('');
    expect(hasAskFilters(noAskFilters())).toBe(false);
    expect(askQuery(noAskFilters()).getAll('status')).toEqual(['open']);
    expect(askQuery({ ...noAskFilters(), status: ['expired'] }).getAll('status')).toEqual(['expired']);
  });
});
