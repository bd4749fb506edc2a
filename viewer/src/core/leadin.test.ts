import { describe, expect, it } from 'vitest';
import { leadInOf } from './leadin';
import type { Attempt, Transition } from './task';
import { isoToMs } from './time';

const at = (second: number) => `2026-11-21T08:00:${String(second).padStart(2, '0')}Z`;
const ms = (second: number) => isoToMs(at(second));
const task = { created_at: at(0), run_at: null, status: 'completed', next_run_at: null, finished_at: at(50) };
const attempt = (number: number, leased: number, ended: number, retry: number | null = null) =>
  ({ attempt: number, run_id: `r${number}`, agent: 'a', leased_at: at(leased), started_at: at(leased + 1), ended_at: at(ended), retry_at: retry === null ? null : at(retry) }) as Attempt;
const change = (sequence: number, second: number, from: string, to: string) => ({ sequence, time: at(second), from_status: from, to_status: to }) as Transition;

const attempts = [attempt(1, 5, 10, 20), attempt(2, 25, 40)];

describe('what came before an attempt', () => {
  it('is its time in the queue, up to its start', () => {
    expect(leadInOf('r1', task, attempts, [])).toEqual([
      { kind: 'queued', start: ms(0), end: ms(5) },
      { kind: 'queued', start: ms(5), end: ms(6) },
    ]);
  });

  it('is the delay after the attempt before, then the queue', () => {
    expect(leadInOf('r2', task, attempts, []).map(({ kind, start, end }) => [kind, start, end])).toEqual([
      ['backoff', ms(10), ms(20)],
      ['queued', ms(20), ms(25)],
      ['queued', ms(25), ms(26)],
    ]);
  });

  it('has pauses over it, cut to what was before this attempt', () => {
    const transitions = [change(1, 2, 'pending', 'paused'), change(2, 4, 'paused', 'pending'), change(3, 12, 'pending', 'paused'), change(4, 18, 'paused', 'pending')];
    const paused = leadInOf('r2', task, attempts, transitions).filter(({ kind }) => kind === 'paused');
    expect(paused).toEqual([{ kind: 'paused', start: ms(12), end: ms(18) }]);
  });

  it('is nothing for a run that is no attempt', () => {
    expect(leadInOf('other', task, attempts, [])).toEqual([]);
  });
});
