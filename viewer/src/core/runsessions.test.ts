import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunSummary } from './runlist';
import { sessionRowOf, sessionRows, type OpenSession, type SessionSummary } from './runsessions';

const session = (session_id: string) => ({ session_id }) as SessionSummary;
const open = (count: number, more: boolean): OpenSession => ({ runs: Array.from({ length: count }, (_, i) => ({ run_id: `${i}` }) as RunSummary), more });

describe('rows of sessions', () => {
  it('are one for each session, and those of its runs below it while it is open', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 6 }), fc.nat(5), fc.boolean(), (ids, count, more) => {
        const opened = new Map(ids.filter((_, i) => i % 2).map((id) => [id, open(count, more)]));
        const rows = sessionRows(ids.map(session), opened);
        expect(rows.filter((row) => row.kind === 'session').map((row) => row.session.session_id)).toEqual(ids);
        expect(rows.length).toBe(ids.length + opened.size * (count + Number(more)));
        for (const id of ids) expect(rows[sessionRowOf(rows, id)]).toMatchObject({ kind: 'session', open: opened.has(id) });
      }),
    );
  });

  it('say that runs are on their way', () => {
    expect(sessionRows([session('a')], new Map([['a', null]]))[1]).toMatchObject({ kind: 'note', state: 'loading' });
  });
});
