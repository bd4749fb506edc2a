/** The run that is peeked at: its header, its first steps and what it was given, without opening it. */

import { ApiError, fetchRun, fetchSpan, runSql } from '../api/client';
import type { RunDetail, SpanDetail, SqlAnswer } from '../api/types';

/** Characters of input and output: the beginning, to recognise a run by. */
const HEAD_BYTES = 4000;
const MOST_STEPS = 40;
const AFTER_MS = 80;

export interface Step {
  readonly spanId: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly durationMs: number | null;
  readonly costUsd: number | null;
}

export interface FirstError {
  readonly spanId: string;
  readonly name: string;
  readonly type: string | null;
  readonly message: string | null;
}

export interface PeekSteps {
  readonly rootId: string | null;
  readonly steps: readonly Step[];
  readonly more: boolean;
  readonly error: FirstError | null;
}

export class RunPeek {
  runId = $state<string | null>(null);
  detail = $state.raw<RunDetail | null>(null);
  steps = $state.raw<PeekSteps | null>(null);
  root = $state.raw<SpanDetail | null>(null);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(false);

  private aborter = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Shows a run; of one after another in quick succession only the last is fetched. Asked again, it is refreshed. */
  show(runId: string): void {
    clearTimeout(this.timer);
    this.runId = runId;
    this.timer = setTimeout(() => void this.load(runId), AFTER_MS);
  }

  close(): void {
    clearTimeout(this.timer);
    this.aborter.abort();
  }

  async load(runId: string): Promise<void> {
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    this.loading = true;
    try {
      const [detail, steps] = await Promise.all([fetchRun(runId, signal), fetchSteps(runId, signal)]);
      const root = steps.rootId ? await fetchSpan(runId, steps.rootId, HEAD_BYTES, signal) : null;
      [this.detail, this.steps, this.root, this.failure] = [detail, steps, root, null];
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }
}

/** The query behind the steps: the root, what is directly below it, and the failure that ended first. */
export function stepsSql(runId: string): string {
  return `WITH mine AS (SELECT * FROM all_spans WHERE run_id = '${runId.replaceAll("'", "''")}'),
root AS (SELECT span_id FROM mine ORDER BY parent_span_id IS NOT NULL, start_time, span_id LIMIT 1)
SELECT 'root' AS part, span_id, name, kind, status, duration_ms, cost_usd, error_type, error_message FROM mine WHERE span_id IN (FROM root)
UNION ALL (SELECT 'error', span_id, name, kind, status, duration_ms, cost_usd, error_type, error_message FROM mine
WHERE status = 'failed' ORDER BY end_time, start_time DESC, span_id LIMIT 1)
UNION ALL (SELECT 'step', span_id, name, kind, status, duration_ms, cost_usd, error_type, error_message FROM mine
WHERE parent_span_id IN (FROM root) ORDER BY start_time, span_id LIMIT ${MOST_STEPS + 1})`;
}

async function fetchSteps(runId: string, signal: AbortSignal): Promise<PeekSteps> {
  return readSteps(await runSql(stepsSql(runId), MOST_STEPS + 3, signal));
}

function readSteps({ rows }: SqlAnswer): PeekSteps {
  const of = (part: string) => rows.filter((row) => row[0] === part);
  const steps = of('step').map(([, spanId, name, kind, status, durationMs, costUsd]) => ({ spanId, name, kind, status, durationMs, costUsd }) as Step);
  const [error] = of('error').map(([, spanId, name, , , , , type, message]) => ({ spanId, name, type, message }) as FirstError);
  return { rootId: (of('root')[0]?.[1] as string | undefined) ?? null, steps: steps.slice(0, MOST_STEPS), more: steps.length > MOST_STEPS, error: error ?? null };
}
