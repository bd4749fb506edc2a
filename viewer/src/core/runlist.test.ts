import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBy, RunList, type RunSummary } from './runlist';
import { formatIsoNs } from './time';
import { noFilters } from './runfilters';

const NO_FIGURES = {
  end_time: null, agent: 'a', session_id: null, user_id: null, tags: [], models: [], live_span_count: 0, task_count: 0,
  llm_call_count: 0, tool_call_count: 0, error_count: 0, input_tokens: null, output_tokens: null, cache_read_tokens: null,
  cache_write_tokens: null, reasoning_tokens: null, unpriced_count: 0, error_type: null, error_message: null,
};

function run(n: number, fields: Partial<RunSummary> = {}): RunSummary {
  const start_time = formatIsoNs(1_795_000_000_000_000_000n + BigInt(n) * 1_000_000_000n);
  return { ...NO_FIGURES, run_id: `r${n}`, name: 'report', status: 'completed', start_time, duration_ms: n, span_count: n, cost_usd: n % 3 ? n : null, ...fields };
}

const ids = (list: RunList) => list.rows.map((row) => row.run_id);
const some = fc.uniqueArray(fc.nat(60), { maxLength: 40 });

describe('run list', () => {
  it('is the same after live messages as after a reload', () => {
    fc.assert(
      fc.property(some, some, fc.constantFrom('-start_time', 'start_time', '-duration_ms', '-cost_usd'), (first, later, sort) => {
        const filters = { ...noFilters(), sort };
        const live = new RunList(filters);
        live.loadFirst(first.map((n) => run(n)), null);
        for (const n of [...later, ...later]) live.applyLive([run(n, { span_count: 99 })], false);
        const everything = new Map(first.map((n) => [n, run(n)]));
        for (const n of later) everything.set(n, run(n, { span_count: 99 }));
        const fresh = new RunList(filters);
        fresh.loadFirst([...everything.values()], null);
        expect(live.rows).toEqual(fresh.rows);
      }),
    );
  });

  it('keeps what arrived live while an older first page was on its way', () => {
    fc.assert(
      fc.property(some, some, (answer, meanwhile) => {
        const list = new RunList(noFilters());
        list.loadFirst([], null);
        list.expectFirst();
        for (const n of meanwhile) list.applyLive([run(n, { span_count: 99 })], false);
        list.loadFirst(answer.map((n) => run(n)), null);
        const everything = new Map([...answer.map((n) => [n, run(n)] as const), ...meanwhile.map((n) => [n, run(n, { span_count: 99 })] as const)]);
        expect(new Set(list.rows)).toEqual(new Set(everything.values()));
      }),
    );
  });

  it('still holds back what was held back before a reload', () => {
    const list = new RunList(noFilters());
    list.loadFirst([run(1)], null);
    list.expectFirst();
    list.applyLive([run(2)], true);
    list.loadFirst([run(1)], null);
    expect([ids(list), list.waitingCount]).toEqual([['r1'], 1]);
  });

  it('holds new runs back while the reader is elsewhere, and updates known ones', () => {
    const list = new RunList(noFilters());
    list.loadFirst([run(1), run(2)], null);
    list.applyLive([run(3), run(2, { status: 'failed' })], true);
    expect(ids(list)).toEqual(['r2', 'r1']);
    expect([list.rows[0].status, list.waitingCount]).toEqual(['failed', 1]);
    list.release();
    expect(ids(list)).toEqual(['r3', 'r2', 'r1']);
  });

  it('drops a run that no longer passes the filters', () => {
    const list = new RunList({ ...noFilters(), status: ['running'] });
    list.loadFirst([run(1, { status: 'running' })], null);
    list.applyLive([run(1), run(2)], false);
    expect(ids(list)).toEqual([]);
  });

  it('leaves rows of pages not yet loaded to those pages', () => {
    const list = new RunList(noFilters());
    list.loadFirst([run(9), run(8)], 'cursor');
    list.applyLive([run(3)], false);
    expect(ids(list)).toEqual(['r9', 'r8']);
  });

  it('asks the server about filters it cannot judge', () => {
    const list = new RunList({ ...noFilters(), text: 'invoice' });
    list.loadFirst([run(1)], null);
    expect(list.applyLive([run(2)], false)).toBe(true);
    expect(list.applyLive([run(1)], false)).toBe(false);
  });

  it('puts unknown figures last in both directions', () => {
    const rows = [run(3), run(1), run(2)];
    expect([...rows].sort(compareBy('-cost_usd')).map((r) => r.run_id)).toEqual(['r2', 'r1', 'r3']);
    expect([...rows].sort(compareBy('cost_usd')).map((r) => r.run_id)).toEqual(['r1', 'r2', 'r3']);
  });
});
