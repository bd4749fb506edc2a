import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  formatAbsolute, formatDuration, formatIsoNs, formatRelative, formatTicking, fromWallTime, isoToMs, parseIsoNs, parseWallTime,
  useTimeZone, wallClock, zoneName, zoneOffsetAt,
} from './time';

describe('ISO times', () => {
  it('survive a round trip to the nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n }), (ns) => parseIsoNs(formatIsoNs(ns)) === ns),
    );
  });

  it('keep all nine digits', () => {
    expect(parseIsoNs('2026-11-21T07:30:00.123456789Z') % 1_000_000_000n).toBe(123_456_789n);
  });

  it('understand offsets and short fractions', () => {
    expect(parseIsoNs('2026-11-21T09:30:00.5+02:00')).toBe(parseIsoNs('2026-11-21T07:30:00.500Z'));
    expect(isoToMs('1970-01-01T00:00:01.5Z')).toBe(1500);
  });

  it('name what they cannot read', () => {
    expect(() => parseIsoNs('yesterday')).toThrow('not an ISO 8601 time with a zone: "yesterday"');
  });
});

describe('durations', () => {
  it.each([
    [0.000_25, '250 ns'],
    [0.34, '340 µs'],
    [7.4, '7.40 ms'],
    [340, '340 ms'],
    [1240, '1.24 s'],
    [12_300, '12.3 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [7_200_000, '2 h 00 min'],
    [273_600_000, '3 d 04 h'],
    [NaN, '–'],
    [-1240, '−1.24 s'],
  ])('%d ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('never show sixty of a unit that has sixty', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (ms) => !/\b60(\.0)? (s|min)/.test(formatDuration(ms))));
  });

  it('tick in whole seconds', () => {
    expect(formatTicking(12_999)).toBe('12 s');
    expect(formatTicking(125_000)).toBe('2 min 05 s');
  });
});

describe('relative times', () => {
  it.each([
    [0, 'just now'],
    [12_000, '12 s ago'],
    [185_000, '3 min ago'],
    [7_300_000, '2 h ago'],
    [5 * 86_400_000, '5 d ago'],
    [-60_000, 'in 1 min'],
  ])('%d ms ago reads %s', (age, text) => expect(formatRelative(1e12 - age, 1e12)).toBe(text));
});

describe('the reader\'s zone', () => {
  const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', null];
  const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) });
  afterEach(() => void useTimeZone(null));

  it('decides what absolute times read', () => {
    const ms = isoToMs('2026-11-21T07:30:00.123Z');
    expect([useTimeZone('UTC'), formatAbsolute(ms), zoneName()]).toEqual([true, '2026-11-21 07:30:00.123', 'UTC']);
    expect([useTimeZone('Asia/Kathmandu'), formatAbsolute(ms)]).toEqual([true, '2026-11-21 13:15:00.123']);
    expect([useTimeZone('Europe/Berlin'), formatAbsolute(ms)]).toEqual([true, '2026-11-21 08:30:00.123']);
    expect(formatAbsolute(NaN)).toBe('–');
  });

  it('stays as it was when there is none of a name', () => {
    useTimeZone('Asia/Kathmandu');
    expect([useTimeZone('Mars/Olympus'), zoneName()]).toEqual([false, 'Asia/Kathmandu']);
  });

  it.each(ZONES)('%s agrees with itself in both directions', (zone) => {
    useTimeZone(zone);
    fc.assert(
      fc.property(moment, (ms) => {
        const at = Math.floor(ms / 1000) * 1000;
        const wall = wallClock(at);
        const back = parseWallTime(wall.toISOString().slice(0, 19));
        expect(wallClock(back).getTime()).toBe(wall.getTime());
        expect(back === at || Math.abs(zoneOffsetAt(back) - zoneOffsetAt(at)) === at - back).toBe(true);
      }),
    );
  });

  it('takes the first of two hours in autumn and moves on in spring', () => {
    useTimeZone('Europe/Berlin');
    expect(new Date(fromWallTime(2026, 10, 25, 2, 30)).toISOString()).toBe('2026-10-25T00:30:00.000Z');
    expect(new Date(fromWallTime(2026, 3, 29, 2, 30)).toISOString()).toBe('2026-03-29T01:30:00.000Z');
    expect(parseWallTime('soon')).toBeNaN();
  });
});
