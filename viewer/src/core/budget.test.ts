import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetTitle, drawing, emptyBudgetForm, formOf, metersOf, raiseForm, readBudgetForm, readRaise, tightest, type Budget } from './budget';

const BUDGET: Budget = {
  id: 'b', scope: 'agent', value: 'amy', per: 'day', zone: 'UTC', limits: { usd: 2, tokens: 1000 }, soft_limits: { usd: 1.6, tokens: 800 },
  raised: {}, used: { usd: 1, tokens: 900 }, reserved: { usd: 0.5 }, state: 'soft', grace_ms: 10_000, finish: 0.05,
  created_at: '', updated_at: '', period: '2026-11-21', reached: 'tokens', resets_at: null, running: 1, waiting: 2, set_by: null,
};

describe('meters', () => {
  test('show what is used, reserved beyond it, and where the warning stands', () => {
    const [usd, tokens] = metersOf(BUDGET);
    expect(usd).toMatchObject({ used: '$1.00', reserved: '$0.5000', limit: '$2.00', usedPart: 0.5, reservedPart: 0.25, softPart: 0.8, percent: 50, state: 'open' });
    expect(tokens).toMatchObject({ used: '900', limit: '1.0k', reserved: null, percent: 90, state: 'soft' });
  });

  test('are full and no fuller when more is used than allowed', () => {
    const [usd] = metersOf({ ...BUDGET, used: { usd: 5 } });
    expect(usd).toMatchObject({ usedPart: 1, reservedPart: 0, percent: 250, state: 'hard' });
  });

  test('of a limit of nothing are full', () => {
    expect(metersOf({ ...BUDGET, limits: { usd: 0 }, used: {} })[0]).toMatchObject({ usedPart: 1, percent: 100, state: 'hard' });
  });

  test('of several budgets lead to the tightest', () => {
    expect(tightest([{ ...BUDGET, used: {} }, { ...BUDGET, id: 'c' }])?.budget.id).toBe('c');
    expect(tightest([])).toBeNull();
  });
});

test('budgets are named by what draws on them', () => {
  expect(budgetTitle(BUDGET)).toBe('Agent amy, per day');
  expect(budgetTitle({ ...BUDGET, scope: 'project', value: '*', per: 'total' })).toBe('Project');
  expect(budgetTitle({ ...BUDGET, scope: 'task', value: 't', per: 'total' }, 't')).toBe('This task');
  expect(drawing(BUDGET)).toBe('1 attempt draws on it, 2 tasks wait');
});

describe('the form', () => {
  test('says what is missing', () => {
    expect(readBudgetForm(emptyBudgetForm()).errors).toEqual({ value: 'give the agent it is for', usd: 'give at least one limit' });
    expect(readBudgetForm({ ...emptyBudgetForm(), value: 'a', usd: 'much' }).errors).toEqual({ usd: 'give an amount of at least 0' });
  });

  test('reads what a budget is written as', () => {
    const read = readBudgetForm(formOf({ ...BUDGET, limits: { usd: 3.25, wall_ms: 90_000 }, raised: { usd: 1 } }));
    expect(read.value).toEqual({ scope: 'agent', value: 'amy', per: 'day', zone: 'UTC', usd: 2.25, wall_ms: 90_000 });
  });
});

describe('raising', () => {
  test('proposes half of what was set, of what is limited', () => {
    const budget = { ...BUDGET, limits: { usd: 3, tokens: 1001, wall_ms: 90_000 }, raised: { usd: 1, tokens: 1 } };
    expect(raiseForm(budget)).toMatchObject({ usd: '1.00', tokens: '500', minutes: '0.75', toolCalls: '' });
    expect(readRaise(raiseForm(budget)).value).toEqual({ usd: 1, tokens: 500, wall_ms: 45_000 });
  });

  test('takes other amounts, and leaves out what raises nothing', () => {
    expect(readRaise({ ...emptyBudgetForm(), usd: ' $2.5 ', tokens: '0' }).value).toEqual({ usd: 2.5 });
    expect(readRaise({ ...emptyBudgetForm(), tokens: '0' }).errors).toEqual({ tokens: 'give an amount above 0' });
    expect(readRaise({ ...emptyBudgetForm(), usd: '-1' }).errors).toEqual({ usd: 'give an amount of at least 0' });
  });

  test('is always proposed with something to raise by', () => {
    const amount = fc.integer({ min: 1, max: 1_000_000_000 });
    const limits = fc.record({ usd: fc.double({ min: 0, max: 1e6, noNaN: true }), tokens: amount, wall_ms: amount, tool_calls: amount }, { requiredKeys: ['tokens'] });
    fc.assert(
      fc.property(limits, (some) => {
        const { value } = readRaise(raiseForm({ ...BUDGET, limits: some, raised: {} }));
        expect(Object.keys(value ?? {}).sort()).toEqual(Object.keys(some).sort());
      }),
    );
  });
});
