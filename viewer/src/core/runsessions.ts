/** Sessions as rows that open to their runs. */

import type { RunSummary } from './runlist';

export interface SessionSummary {
  readonly session_id: string;
  readonly run_count: number;
  readonly start_time: string;
  /** When the last of its runs started. */
  readonly last_time: string;
  readonly end_time: string | null;
  /** Of the run that started last. */
  readonly status: string;
  readonly name: string;
  readonly statuses: Readonly<Record<string, number>>;
  readonly agents: readonly string[];
  readonly users: readonly string[];
  readonly error_count: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cost_usd: number | null;
  readonly unpriced_count: number;
}

/** What an open session shows: its runs so far, and whether there are more. */
export interface OpenSession {
  readonly runs: readonly RunSummary[];
  readonly more: boolean;
}

export type SessionRow =
  | { readonly kind: 'session'; readonly key: string; readonly session: SessionSummary; readonly open: boolean }
  | { readonly kind: 'run'; readonly key: string; readonly run: RunSummary; readonly sessionId: string }
  | { readonly kind: 'note'; readonly key: string; readonly sessionId: string; readonly state: 'loading' | 'more' };

export function sessionRows(sessions: readonly SessionSummary[], opened: ReadonlyMap<string, OpenSession | null>): SessionRow[] {
  return sessions.flatMap((session) => {
    const id = session.session_id;
    const head: SessionRow = { kind: 'session', key: `s ${id}`, session, open: opened.has(id) };
    return [head, ...(opened.has(id) ? within(id, opened.get(id) ?? null) : [])];
  });
}

function within(sessionId: string, open: OpenSession | null): SessionRow[] {
  if (!open) return [{ kind: 'note', key: `n ${sessionId}`, sessionId, state: 'loading' }];
  const rows: SessionRow[] = open.runs.map((run) => ({ kind: 'run', key: `r ${run.run_id}`, run, sessionId }));
  return open.more ? [...rows, { kind: 'note', key: `n ${sessionId}`, sessionId, state: 'more' }] : rows;
}

/** The row a reader gets to from a row: a run leads to its session. -1 where there is none. */
export function sessionRowOf(rows: readonly SessionRow[], sessionId: string): number {
  return rows.findIndex((row) => row.kind === 'session' && row.session.session_id === sessionId);
}
