import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earliestPosition, MessageCount, messageNumber, parseEvents } from './sse';

const write = (number: number, data: string) => `id: b-4.${number}\nevent: spans\ndata: ${data}\n\n`;

describe('events of a stream', () => {
  it('are read as they were written, but for one that was cut off', () => {
    const some = fc.array(fc.jsonValue().map((value) => JSON.stringify(value)), { maxLength: 8 });
    fc.assert(
      fc.property(some, fc.nat(), (data, cut) => {
        const pieces = data.map((one, number) => write(number, one));
        expect(parseEvents(pieces.join('')).map((message) => message.data)).toEqual(data);
        const whole = pieces.join('').slice(0, cut);
        const expected = pieces.filter((_, i) => pieces.slice(0, i + 1).join('').length <= cut).length;
        expect(parseEvents(whole)).toHaveLength(expected);
      }),
    );
  });

  it('may be comments', () => expect(parseEvents(': hello\n\n')).toEqual([]));

  it('are numbered', () => {
    expect([messageNumber('b-4.12'), messageNumber('b-4'), messageNumber('')]).toEqual([12, null, null]);
  });
});

describe('counting messages', () => {
  const gaps = (numbers: number[]) => {
    const count = new MessageCount();
    return numbers.map((number) => count.note(`b-0.${number}`));
  };

  it('finds one that is missing, and takes twice and late for nothing', () => {
    expect(gaps([0, 1, 2])).toEqual([false, false, false]);
    expect(gaps([0, 2, 1, 3])).toEqual([false, true, false, false]);
    expect(gaps([0, 0, 1, 1])).toEqual([false, false, false, false]);
    expect(gaps([1])).toEqual([true]);
  });

  it('tells of every loss by the time the next message arrives', () => {
    const deliveries = fc.array(fc.constantFrom('once', 'twice', 'never'), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(deliveries, (fates) => {
        const numbers = fates.flatMap((fate, number) => (fate === 'never' ? [] : fate === 'once' ? [number] : [number, number]));
        const lastSeen = numbers[numbers.length - 1] ?? -1;
        const lost = fates.slice(0, lastSeen + 1).includes('never');
        expect(gaps(numbers).includes(true)).toBe(lost);
      }),
    );
  });
});

describe('the earliest of several positions', () => {
  const numbers = fc.array(fc.nat(), { minLength: 1, maxLength: 5 });

  it('is the one from which all others are reached', () => {
    fc.assert(fc.property(numbers, (all) => void expect(earliestPosition(all.map((n) => `b0-${n}`))).toBe(`b0-${Math.min(...all)}`)));
  });

  it('is not known when one is not, or they are of different collectors', () => {
    fc.assert(fc.property(numbers, (all) => void expect(earliestPosition([...all.map((n) => `b0-${n}`), null])).toBeNull()));
    expect(earliestPosition(['b0-1', 'b1-1'])).toBeNull();
    expect(earliestPosition([])).toBeNull();
  });
});
