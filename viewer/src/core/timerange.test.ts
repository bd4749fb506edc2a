import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundAt, boundMs, describeRange, PRESETS, rangeProblem, readBound, widened, writeBound } from './timerange';

const instants = fc.integer({ min: 0, max: 4_000_000_000_000 });

describe('time range', () => {
  it('is read as it is written', () => {
    fc.assert(fc.property(instants, (ms) => void expect(boundMs(readBound(writeBound(boundAt(ms))) ?? '', 0)).toBe(ms)));
  });

  it('takes relative times as they are', () => {
    for (const [preset] of PRESETS) expect(readBound(preset)).toBe(preset);
    expect(boundMs('now-2h', 7_200_000)).toBe(0);
    expect(boundMs('now', 5)).toBe(5);
  });

  it('refuses what is no time', () => {
    for (const text of ['yesterday', '2026-13-01', '2026-02-30', '2026-01-01 25:00', 'now-2x', 'now+1h']) expect(readBound(text)).toBe(null);
  });

  it('reads as people say it', () => {
    expect(describeRange({ from: '', to: '' })).toBe('Any time');
    expect(describeRange({ from: 'now-1h', to: '' })).toBe('Last hour');
    expect(describeRange({ from: 'now-3h', to: 'now' })).toBe('from now-3h');
    const day = (hour: number) => new Date(2026, 10, 21, hour, 30).toISOString();
    expect(describeRange({ from: day(7), to: day(9) })).toBe('2026-11-21 07:30 – 09:30');
    expect(describeRange({ from: '', to: day(9) })).toBe('before 2026-11-21 09:30');
  });

  it('is wrong when it ends before it begins', () => {
    expect(rangeProblem({ from: 'now-1h', to: 'now-2h' }, 0)).toContain('not before');
    expect(rangeProblem({ from: 'now-2h', to: 'now-1h' }, 0)).toBe(null);
  });

  it('widens around its middle and ends at the present', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: 2, max: 1e9 }), instants, (low, length, later) => {
        const { from, to } = widened(low, low + length, low + length + later);
        expect(boundMs(from, 0)).toBeLessThanOrEqual(low);
        expect(to === '' || (boundMs(to, 0) ?? 0) >= low + length).toBe(true);
      }),
    );
  });
});
