/** The SQL page: the text, the query that runs, its result, and what was asked before. */

import { ApiError, fetchSchema } from '../api/client';
import { FORMATS, downloadQuery, queryRows, runQuery, type FormatName, type SqlResult } from '../api/results';
import type { SchemaAnswer, SqlFunction } from '../api/types';
import { fitted, formatSpec, guessSpec, parseSpec, type ChartSpec } from '../core/chartspec';
import { barsSql, factsSql, readFacts, type ColumnFacts } from '../core/columnfacts';
import { decodeFragment, encodeFragment, fragmentPart } from '../core/fragment';
import { readHistory, remembered, withPin, type HistoryEntry } from '../core/sqlhistory';
import { errorExtent, errorText, statementAt, type Extent } from '../core/sqltext';

export const FIRST_QUERY = `select name, count(*) as runs, avg(duration_ms) as mean_ms, sum(cost_usd) as cost_usd
from runs
group by name
order by runs desc`;
export const ROW_LIMITS = [100, 1_000, 10_000, 100_000] as const;
const DEFAULT_LIMIT = 10_000;
const HISTORY_KEY = 'milepost.sqlHistory';
const FUNCTIONS = `select function_name, any_value(array_to_string(parameters, ', ')), any_value(coalesce(description, ''))
from duckdb_functions() where function_type in ('scalar', 'aggregate') and function_name ~ '^[a-z]\\w*$'
group by function_name order by function_name`;

/** What the model asks of the editor. */
export interface Editor {
  readonly selection: Extent;
  insert(text: string): void;
  setText(text: string): void;
  goTo(place: number): void;
  focus(): void;
}

export class SqlModel {
  text = $state(FIRST_QUERY);
  limit = $state<number>(DEFAULT_LIMIT);
  running = $state(false);
  startedAt = $state(0);
  result = $state.raw<SqlResult | null>(null);
  /** The statement that the result is of. */
  shownSql = $state('');
  failure = $state.raw<ApiError | null>(null);
  /** Where in the text the error lies. */
  errorPlace = $state.raw<Extent | null>(null);
  view = $state<'table' | 'chart'>('table');
  spec = $state.raw<ChartSpec | null>(null);
  schema = $state.raw<SchemaAnswer | null>(null);
  schemaFailure = $state.raw<ApiError | null>(null);
  functions = $state.raw<readonly SqlFunction[]>([]);
  history = $state.raw<HistoryEntry[]>(readHistory(stored()));
  exporting = $state<FormatName | null>(null);
  exportNote = $state('');
  editor: Editor | null = null;

  private aborter = new AbortController();

  async open(): Promise<void> {
    void this.loadSchema();
    await this.readAddress();
  }

  close(): void {
    this.aborter.abort();
  }

  /** Takes query and chart from the address; runs what a link brought, so that it shows the same picture. */
  async readAddress(): Promise<void> {
    const [hash, text] = [location.hash, await decodeFragment(location.hash)];
    if (text === null) return;
    this.text = text;
    this.spec = parseSpec(fragmentPart(hash, 'chart') ?? '');
    this.view = this.spec ? 'chart' : 'table';
    this.limit = ROW_LIMITS.find((limit) => String(limit) === fragmentPart(hash, 'limit')) ?? DEFAULT_LIMIT;
    await this.run();
  }

  async loadSchema(): Promise<void> {
    try {
      this.schema = await fetchSchema();
      this.schemaFailure = null;
      const rows = await queryRows(FUNCTIONS, 5000);
      this.functions = rows.map(([name, parameters, description]) => ({
        name: String(name), parameters: String(parameters), description: String(description),
      }));
    } catch (cause) {
      this.schemaFailure = ApiError.of(cause);
    }
  }

  /** The statement to run: what is selected, else the one at the cursor. */
  target(): { sql: string; start: number } | null {
    const selection = this.editor?.selection ?? { start: 0, end: 0 };
    const selected = selection.end > selection.start ? this.text.slice(selection.start, selection.end) : '';
    const inside = statementAt(selected, 0);
    if (inside) return { sql: selected.slice(inside.start, inside.end), start: selection.start + inside.start };
    const found = statementAt(this.text, selection.start);
    return found && { sql: this.text.slice(found.start, found.end), start: found.start };
  }

  /** prefix: EXPLAIN, to see how the statement would be run. */
  async run(prefix = ''): Promise<void> {
    const target = this.target();
    if (!target) return;
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    const asked = prefix + target.sql;
    this.running = true;
    this.startedAt = Date.now();
    try {
      await this.writeAddress();
      const result = await runQuery(asked, this.limit, signal);
      if (signal.aborted) return;
      this.show(asked, result);
      this.remember(asked, { durationMs: result.elapsedMs, rows: result.data.rowCount, error: null });
    } catch (cause) {
      if (signal.aborted) return;
      this.fail(ApiError.of(cause), target);
      this.remember(asked, { durationMs: null, rows: null, error: this.failure?.message ?? '' });
    }
    this.running = false;
  }

  /** Puts a query into the editor in place of what is there (undo brings that back), and runs it. */
  take(sql: string): void {
    this.text = sql;
    this.spec = null;
    this.view = 'table';
    this.editor?.setText(sql);
    this.editor?.focus();
    void this.run();
  }

  /** Closes the connection, which stops the query in the collector; the result before it stays. */
  cancel(): void {
    if (!this.running) return;
    this.aborter.abort();
    this.running = false;
  }

  private show(sql: string, result: SqlResult): void {
    this.result = result;
    this.shownSql = sql;
    this.failure = null;
    this.errorPlace = null;
    if (this.view === 'chart') this.spec = (this.spec && fitted(this.spec, result.data)) ?? guessSpec(result.data);
  }

  private fail(failure: ApiError, target: { sql: string; start: number }): void {
    const place = errorExtent(target.sql, failure.message);
    const title = failure.status === 400 ? 'The query is refused' : failure.problem.title;
    this.failure = new ApiError({ ...failure.problem, title, detail: errorText(failure.message) });
    this.errorPlace = place && { start: target.start + place.start, end: target.start + place.end };
  }

  showChart(spec: ChartSpec | null): void {
    this.view = 'chart';
    this.spec = spec;
    void this.writeAddress();
  }

  showTable(): void {
    this.view = 'table';
    void this.writeAddress();
  }

  /** In the fragment, so that the text of a query never reaches a server's access log. */
  async writeAddress(): Promise<void> {
    const more: Record<string, string> = {};
    if (this.view === 'chart' && this.spec) more.chart = formatSpec(this.spec);
    if (this.limit !== DEFAULT_LIMIT) more.limit = String(this.limit);
    const fragment = await encodeFragment(this.text, more);
    history.replaceState(history.state, '', location.pathname + fragment);
  }

  async save(format: FormatName): Promise<void> {
    this.exporting = format;
    this.exportNote = '';
    try {
      const { blob, truncated } = await downloadQuery(this.shownSql, ROW_LIMITS[ROW_LIMITS.length - 1], format);
      download(blob, `milepost.${format}`);
      this.exportNote = truncated ? `${FORMATS[format].title} saved; cut at the collector's limit` : `${FORMATS[format].title} saved`;
    } catch (cause) {
      this.failure = ApiError.of(cause);
    }
    this.exporting = null;
  }

  /** What there is to know of a column of a table. */
  async facts(table: string, column: string, type: string, signal: AbortSignal): Promise<ColumnFacts> {
    const bars = barsSql(table, column, type);
    const [[facts], rows] = await Promise.all([
      queryRows(factsSql(table, column, type), 1, signal),
      bars === null ? [] : queryRows(bars, 100, signal),
    ]);
    return readFacts(type, facts, rows);
  }

  pin(sql: string, pinned: boolean): void {
    this.keep(withPin(this.history, sql, pinned));
  }

  forget(sql: string): void {
    this.keep(this.history.filter((entry) => entry.sql !== sql));
  }

  private remember(sql: string, outcome: Pick<HistoryEntry, 'durationMs' | 'rows' | 'error'>): void {
    this.keep(remembered(this.history, { sql, at: Date.now(), ...outcome }));
  }

  private keep(entries: HistoryEntry[]): void {
    this.history = entries;
    try {
      localStorage.setItem(HISTORY_KEY, JSON.stringify(entries));
    } catch {
      return; // storage is off or full: the history lasts as long as the page
    }
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(HISTORY_KEY);
  } catch {
    return null; // storage is off
  }
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
