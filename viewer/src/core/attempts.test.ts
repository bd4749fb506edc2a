import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutAttempts } from './attempts';
import { attemptLists, attemptOf, DAY, iso, taskOf } from './taskarbitraries';

const NOW = DAY + 1e8;
const kinds = (segments: readonly { kind: string }[]) => segments.map((segment) => segment.kind);

describe('attempts on their axis', () => {
  it('have segments in order, without gaps or overlaps, inside the whole', () => {
    fc.assert(
      fc.property(attemptLists, (attempts) => {
        const timeline = layoutAttempts(taskOf('t', { status: 'in_progress' }), attempts, NOW);
        for (const { segments } of timeline.rows) {
          for (const [i, segment] of segments.entries()) {
            expect(segment.end).toBeGreaterThanOrEqual(segment.start);
            expect(segment.start).toBeGreaterThanOrEqual(timeline.start);
            expect(segment.end).toBeLessThanOrEqual(timeline.end);
            if (i > 0) expect(segment.start).toBe(segments[i - 1].end);
          }
        }
      }),
    );
  });

  it('are oldest first, one row each', () => {
    fc.assert(
      fc.property(attemptLists, (attempts) => {
        const { rows } = layoutAttempts(taskOf('t'), [...attempts].reverse(), NOW);
        expect(rows.map((row) => row.attempt.attempt)).toEqual(attempts.map((attempt) => attempt.attempt));
      }),
    );
  });

  it('show the queue before the first, and backoff then queue before the second', () => {
    const first = attemptOf(1, DAY + 1000, { started_at: iso(DAY + 1200), ended_at: iso(DAY + 3000), retry_at: iso(DAY + 8000) });
    const second = attemptOf(2, DAY + 9000, { started_at: iso(DAY + 9000) });
    const { rows } = layoutAttempts(taskOf('t'), [first, second], DAY + 10_000);
    expect(kinds(rows[0].segments)).toEqual(['queued', 'starting', 'run']);
    expect(kinds(rows[1].segments)).toEqual(['backoff', 'queued', 'run']);
    expect(rows[1].segments[0]).toMatchObject({ start: DAY + 3000, end: DAY + 8000 });
    expect(rows[1].segments[2]).toMatchObject({ end: DAY + 10_000, open: true });
  });

  it('show what is to come: the delay of a retry, then the queue', () => {
    const first = attemptOf(1, DAY, { started_at: iso(DAY), ended_at: iso(DAY + 3000), retry_at: iso(DAY + 8000) });
    const task = taskOf('t', { status: 'pending', next_run_at: iso(DAY + 8000) });
    expect(layoutAttempts(task, [first], DAY + 4000).upcoming).toEqual([{ kind: 'backoff', start: DAY + 3000, end: DAY + 8000, open: true }]);
    expect(kinds(layoutAttempts(task, [first], DAY + 9000).upcoming)).toEqual(['backoff', 'queued']);
    expect(layoutAttempts({ ...task, status: 'failed' }, [first], DAY + 9000).upcoming).toEqual([]);
  });

  it('follow each of several agents by itself', () => {
    const one = attemptOf(1, DAY, { agent: 'a', started_at: iso(DAY), ended_at: iso(DAY + 5000), retry_at: iso(DAY + 6000) });
    const two = attemptOf(2, DAY + 100, { agent: 'b', started_at: iso(DAY + 100), ended_at: iso(DAY + 9000) });
    const three = attemptOf(3, DAY + 7000, { agent: 'a', started_at: iso(DAY + 7000) });
    const { rows } = layoutAttempts(taskOf('t'), [one, two, three], DAY + 10_000);
    expect(kinds(rows[1].segments)).toEqual(['queued', 'run']);
    expect(rows[2].segments[0]).toMatchObject({ kind: 'backoff', start: DAY + 5000 });
  });

  it('do not count the time before run_at as queued', () => {
    const task = taskOf('t', { run_at: iso(DAY + 60_000) });
    const { rows } = layoutAttempts(task, [attemptOf(1, DAY + 61_000, { started_at: iso(DAY + 61_000) })], DAY + 62_000);
    expect(rows[0].segments[0]).toMatchObject({ kind: 'queued', start: DAY + 60_000, end: DAY + 61_000 });
  });
});
