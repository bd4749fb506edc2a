import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBy, passes, RunList, type Flight, type RunSummary } from './runlist';
import { noFilters, type RunFilters } from './runfilters';
import { formatIsoNs } from './time';

const NO_FIGURES = {
  end_time: null, agent: 'a', session_id: null, user_id: null, tags: [], models: [], live_span_count: 0, task_count: 0,
  llm_call_count: 0, tool_call_count: 0, error_count: 0, input_tokens: null, output_tokens: null, cache_read_tokens: null,
  cache_write_tokens: null, reasoning_tokens: null, unpriced_count: 0, error_type: null, error_message: null,
};
const FIRST_MS = 1_795_000_000_000;
const NOW = FIRST_MS + 3_600_000;

function run(n: number, fields: Partial<RunSummary> = {}): RunSummary {
  const start_time = formatIsoNs(BigInt(FIRST_MS + n * 1000) * 1_000_000n);
  return { ...NO_FIGURES, run_id: `r${n}`, name: 'report', status: 'completed', start_time, duration_ms: n, span_count: n, cost_usd: n % 3 ? n : null, ...fields };
}

const ids = (list: RunList) => list.rows.map((row) => row.run_id);

function loaded(list: RunList, runs: RunSummary[], cursor: string | null = null): RunList {
  list.landFirst(list.ask(), runs, cursor, NOW);
  return list;
}

/**
 * A collector, a connection and a reader: runs change, messages about them wait to be delivered (some twice), pages and
 * verdicts are asked for and answered, each with any delay.
 */
class World {
  readonly runs = new Map<string, RunSummary>();
  readonly list: RunList;
  private messages: RunSummary[] = [];
  private pages: { flight: Flight; first: boolean; answer: RunSummary[]; cursor: string | null }[] = [];
  private verdict: { asked: Map<string, RunSummary>; answer: RunSummary[] } | null = null;

  constructor(readonly filters: RunFilters) {
    this.list = new RunList(filters);
    this.askFirst();
    this.landPage();
  }

  /** What the collector finds: the search of these tests is for errors. */
  found(): RunSummary[] {
    const belongs = (one: RunSummary) =>
      passes(one, { ...this.filters, q: '' }, NOW) === true && (!this.filters.q || one.error_count > 0);
    return [...this.runs.values()].filter(belongs).sort(compareBy(this.filters.sort));
  }

  change(n: number, fields: Partial<RunSummary>): void {
    const changed = { ...run(n), ...this.runs.get(`r${n}`), ...fields };
    this.runs.set(changed.run_id, changed);
    this.messages.push(changed);
  }

  deliver(count: number, again: boolean, hold: boolean): void {
    const batch = again ? this.messages.slice(0, count) : this.messages.splice(0, count);
    this.list.applyLive(batch, hold, NOW);
  }

  /** The connection breaks: what was on its way is lost, and the page fetches again. */
  lose(): void {
    this.messages = [];
    this.askFirst();
  }

  askFirst(): void {
    this.pages = this.pages.filter((page) => !page.first);
    this.askPage(true, null);
  }

  askMore(): void {
    if (this.list.nextCursor !== null && this.pages.length === 0) this.askPage(false, this.list.nextCursor);
  }

  landPage(): void {
    const page = this.pages.shift();
    if (page?.first) this.list.landFirst(page.flight, page.answer, page.cursor, NOW);
    else if (page) this.list.landMore(page.flight, page.answer, page.cursor, NOW);
  }

  askVerdict(): void {
    const asked = this.list.questions;
    this.verdict ??= { asked, answer: this.found().filter((one) => asked.has(one.run_id)) };
  }

  landVerdict(hold: boolean): void {
    if (this.verdict) this.list.judge(this.verdict.asked, this.verdict.answer, hold);
    this.verdict = null;
  }

  settle(): void {
    while (this.messages.length > 0) this.deliver(3, false, false);
    while (this.pages.length > 0) this.landPage();
    this.landVerdict(false);
    this.askVerdict();
    this.landVerdict(false);
    this.list.release();
  }

  // A cursor is the last row's text: what comes after it is compared with the row as it was.
  private askPage(first: boolean, cursor: string | null): void {
    const compare = compareBy(this.filters.sort);
    const after = cursor === null ? null : (JSON.parse(cursor) as RunSummary);
    const rest = this.found().filter((one) => after === null || compare(one, after) > 0);
    const answer = rest.slice(0, 4);
    const next = rest.length > answer.length ? JSON.stringify(answer.at(-1)) : null;
    this.pages.push({ flight: this.list.ask(), first, answer, cursor: next });
  }
}

const fields = fc.record({
  status: fc.constantFrom('running', 'completed', 'failed'),
  duration_ms: fc.option(fc.nat(9)),
  cost_usd: fc.option(fc.nat(9)),
  error_count: fc.nat(1),
});
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('change' as const), fc.nat(14), fields) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('deliver' as const), fc.integer({ min: 1, max: 4 }), fc.boolean()) },
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom('lose', 'askMore', 'landPage', 'askVerdict', 'landVerdict', 'release' as const)) },
  ),
  { maxLength: 60 },
);

function play(world: World, step: readonly unknown[], hold: boolean): void {
  if (step[0] === 'change') world.change(step[1] as number, step[2] as Partial<RunSummary>);
  else if (step[0] === 'deliver') world.deliver(step[1] as number, step[2] as boolean, hold);
  else if (step[0] === 'landVerdict') world.landVerdict(hold);
  else if (step[0] === 'release') world.list.release();
  else world[step[0] as 'lose' | 'askMore' | 'landPage' | 'askVerdict']();
}

describe('run list', () => {
  it('shows what a reload would, whatever was lost, repeated or late', () => {
    const wanted = fc.record({
      q: fc.constantFrom('', 'has:error'),
      status: fc.constantFrom<string[]>([], ['running', 'failed']),
      sort: fc.constantFrom('-start_time', 'start_time', '-duration_ms', '-cost_usd'),
    });
    fc.assert(
      fc.property(wanted, steps, fc.boolean(), (some, played, hold) => {
        const world = new World({ ...noFilters(), ...some });
        for (const step of played) play(world, step, hold);
        world.settle();
        const { rows, nextCursor } = world.list;
        const found = world.found();
        expect(rows).toEqual(nextCursor === null ? found : found.slice(0, rows.length));
        if (nextCursor !== null) {
          const edge = JSON.parse(nextCursor) as RunSummary;
          expect(rows.length).toBe(found.filter((one) => compareBy(some.sort)(one, edge) <= 0).length);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('keeps what arrived live while an older first page was on its way', () => {
    const list = loaded(new RunList(noFilters()), []);
    const flight = list.ask();
    list.applyLive([run(1, { span_count: 99 }), run(2)], false, NOW);
    list.landFirst(flight, [run(1)], null, NOW);
    expect(list.rows).toEqual([run(2), run(1, { span_count: 99 })]);
  });

  it('keeps what arrived live while an older further page was on its way', () => {
    const list = loaded(new RunList(noFilters()), [run(9)], 'cursor');
    const flight = list.ask();
    list.applyLive([run(3, { status: 'failed' })], false, NOW);
    list.landMore(flight, [run(3, { status: 'running' })], null, NOW);
    expect(list.rows.map((row) => row.status)).toEqual(['completed', 'failed']);
  });

  it('still holds back what was held back before a reload', () => {
    const list = loaded(new RunList(noFilters()), [run(1)]);
    const flight = list.ask();
    list.applyLive([run(2)], true, NOW);
    list.landFirst(flight, [run(1)], null, NOW);
    expect([ids(list), list.waitingCount]).toEqual([['r1'], 1]);
  });

  it('holds new runs back while the reader is elsewhere, and updates known ones', () => {
    const list = loaded(new RunList(noFilters()), [run(1), run(2)]);
    list.applyLive([run(3), run(2, { status: 'failed' })], true, NOW);
    expect(ids(list)).toEqual(['r2', 'r1']);
    expect([list.rows[0].status, list.waitingCount]).toEqual(['failed', 1]);
    list.release();
    expect(ids(list)).toEqual(['r3', 'r2', 'r1']);
  });

  it('drops a run that no longer passes the filters', () => {
    const list = loaded(new RunList({ ...noFilters(), status: ['running'] }), [run(1, { status: 'running' })]);
    list.applyLive([run(1), run(2)], false, NOW);
    expect(ids(list)).toEqual([]);
  });

  it('leaves rows of pages not yet loaded to those pages', () => {
    const list = loaded(new RunList(noFilters()), [run(9), run(8)], 'cursor');
    list.applyLive([run(3)], false, NOW);
    expect(ids(list)).toEqual(['r9', 'r8']);
  });

  it('asks the collector about searches, and shows known runs as they are meanwhile', () => {
    const list = loaded(new RunList({ ...noFilters(), q: 'has:error' }), [run(1)]);
    list.applyLive([run(2), run(1, { status: 'failed' })], false, NOW);
    expect([...list.questions.keys()]).toEqual(['r2', 'r1']);
    expect(list.rows.map((row) => row.status)).toEqual(['failed']);
    list.judge(list.questions, [run(2)], false);
    expect([ids(list), list.questions.size]).toEqual([['r2'], 0]);
  });

  it('lets go of runs that a relative range has left behind', () => {
    const list = loaded(new RunList({ ...noFilters(), from: 'now-1h' }), [run(1), run(100)]);
    expect(list.expire(NOW + 50_000)).toBe(true);
    expect(ids(list)).toEqual(['r100']);
  });

  it('shows parts of other runs only where something is looked for', () => {
    const part = run(1, { part_of: 'whole' });
    expect(passes(part, noFilters(), NOW)).toBe(false);
    expect(passes(part, { ...noFilters(), agent: 'a' }, NOW)).toBe(true);
  });

  it('judges times itself, relative and absolute', () => {
    const from = new Date(FIRST_MS + 5000).toISOString();
    expect([4, 5, 6].map((n) => passes(run(n), { ...noFilters(), from }, NOW))).toEqual([false, true, true]);
    expect(passes(run(5), { ...noFilters(), to: from }, NOW)).toBe(false);
    expect(passes(run(5), { ...noFilters(), from: 'yesterday' }, NOW)).toBe(null);
  });

  it('puts unknown figures last in both directions', () => {
    const rows = [run(3), run(1), run(2)];
    expect([...rows].sort(compareBy('-cost_usd')).map((r) => r.run_id)).toEqual(['r2', 'r1', 'r3']);
    expect([...rows].sort(compareBy('cost_usd')).map((r) => r.run_id)).toEqual(['r1', 'r2', 'r3']);
  });
});
