import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyLimitForm, limitText, readLimitForm } from './limits';

describe('the form of a limit', () => {
  it('makes a limit of any numbers at once and any rate', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 86_400 }), (concurrency, rate, perS) => {
        const form = { ...emptyLimitForm(), value: 'etl', concurrency: String(concurrency), rate: String(rate), perS: String(perS) };
        expect(readLimitForm(form).value).toEqual({ scope: 'agent', value: 'etl', concurrency, rate, per_ms: perS * 1000 });
      }),
    );
  });

  it('wants a value and at least one number', () => {
    expect(Object.keys(readLimitForm(emptyLimitForm()).errors ?? {}).sort()).toEqual(['concurrency', 'value']);
    expect(readLimitForm({ ...emptyLimitForm(), value: 'x', rate: '5', perS: '' }).errors?.perS).toBeDefined();
  });
});

it('a limit reads as words', () => {
  expect(limitText({ concurrency: 4, rate: 100, per_ms: 60_000 })).toBe('4 at once, 100 in 1 min');
  expect(limitText({ concurrency: 0 })).toBe('0 at once');
  expect(limitText({})).toBe('none');
});
