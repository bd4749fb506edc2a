/** Two runs compared, and one beside its past; both ask again while one of their runs changes. */

import { untrack } from 'svelte';
import { fetchComparison, fetchHistory, fetchSpanComparison, findRuns } from '../api/analysis';
import { ApiError, fetchRun, PAYLOAD_LIMIT } from '../api/client';
import { outlineOf, rowName, type ComparedRow, type Comparison, type SpanComparison } from '../core/compare';
import type { OpenEnds } from '../core/comparetime';
import type { History } from '../core/history';
import type { RunSummary } from '../core/runlist';
import { isoToMs } from '../core/time';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Follows runs and asks again when something about them arrives; what is on screen stays until the answer is here. */
abstract class FollowingRuns {
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);
  private readonly aborter = new AbortController();
  private readonly refresher = new Refresher(() => this.refresh());
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const runs = (arrived: RunSummary[]) => arrived.some((run) => this.concerns(run)) && this.refresher.ask();
    // What happens before the stream is open is asked for again once it is.
    this.stop = live.stream.follow({ runs: true }, { hello: live.greet, runs, gap: () => this.refresher.ask() }, null);
    await untrack(() => this.refresher.now()); // what it reads is not what opening depends on
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  /** Something else is wanted: asks at once, unless nothing has been asked for yet. */
  protected change(): void {
    if (!this.loading) void this.refresher.now();
  }

  protected abstract concerns(run: RunSummary): boolean;
  protected abstract ask(signal: AbortSignal): Promise<void>;

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      await this.ask(signal);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }
}

export class CompareModel extends FollowingRuns {
  comparison = $state.raw<Comparison | null>(null);
  openEnds = $state.raw<OpenEnds>({ a: 0, b: 0 });
  /** Rows whose inside is not shown, by name, so that they stay closed when rows are added. */
  closed = $state.raw<ReadonlySet<string>>(new Set());

  readonly rows = $derived<readonly ComparedRow[]>(this.comparison?.rows ?? []);
  readonly outline = $derived(outlineOf(this.rows));
  readonly collapsed = $derived(new Set(this.closed.size === 0 ? [] : this.rows.flatMap((row, i) => (this.closed.has(rowName(row)) ? [i] : []))));
  readonly bodies = new BodiesModel();

  private a = '';
  private b = '';

  /** Compares two runs; what is on screen stays until their comparison is here. */
  want(a: string, b: string): void {
    [this.a, this.b] = [a, b];
    this.change();
  }

  setCollapsed(rows: readonly number[], collapsed: boolean): void {
    const closed = new Set(this.closed);
    for (const row of rows) {
      if (collapsed) closed.add(rowName(this.rows[row]));
      else closed.delete(rowName(this.rows[row]));
    }
    this.closed = closed;
  }

  override close(): void {
    super.close();
    this.bodies.close();
  }

  protected override concerns(run: RunSummary): boolean {
    return run.run_id === this.a || run.run_id === this.b;
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const { a, b } = this;
    const comparison = await fetchComparison(a, b, signal);
    if (a !== this.a || b !== this.b) return;
    this.openEnds = { a: openEnd(comparison.a), b: openEnd(comparison.b) };
    this.comparison = comparison;
  }
}

/** How long a run has been going on: nanoseconds, to where its open spans are drawn. */
function openEnd(run: RunSummary): number {
  return (run.duration_ms ?? Math.max(0, live.nowMs() - isoToMs(run.start_time))) * 1e6;
}

/** What the selected row's spans were given and returned. */
export class BodiesModel {
  bodies = $state.raw<SpanComparison | null>(null);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(false);
  private aborter = new AbortController();
  private shown = '';

  /** a, b: "run/span", or null. limit: bytes up to which a value comes whole. */
  async show(a: string | null, b: string | null, limit = PAYLOAD_LIMIT): Promise<void> {
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    if (this.shown !== `${a} ${b}`) this.bodies = null;
    this.shown = `${a} ${b}`;
    this.failure = null;
    this.loading = true;
    try {
      this.bodies = await fetchSpanComparison(a, b, limit, signal);
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }

  close(): void {
    this.aborter.abort();
  }
}

export class HistoryModel extends FollowingRuns {
  history = $state.raw<History | null>(null);
  private last = 0;

  constructor(private readonly run: string) {
    super();
  }

  want(last: number): void {
    this.last = last;
    this.change();
  }

  protected override concerns(run: RunSummary): boolean {
    return run.run_id === this.run;
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    this.history = await fetchHistory(this.run, this.last, signal);
  }
}

/** Runs to choose from, the newest first. */
export class RunChoice {
  runs = $state.raw<readonly RunSummary[]>([]);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(false);
  private aborter = new AbortController();

  async search(query: string): Promise<void> {
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    this.loading = true;
    try {
      this.runs = (await findRuns(query, CHOICES, signal)).runs;
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }

  close(): void {
    this.aborter.abort();
  }
}

const CHOICES = 30;

/** A run, or null where the collector has none or cannot be asked: choosing another one works all the same. */
export async function findRun(runId: string): Promise<RunSummary | null> {
  return fetchRun(runId).then(
    ({ run }) => run,
    () => null,
  );
}
