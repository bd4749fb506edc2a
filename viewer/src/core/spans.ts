/**
 * The spans of one run, held as columns.
 *
 * A full load and live messages go through the same `apply`, in any order and any number of times; what is held in the
 * end depends only on the set of reports (spans.test.ts states it as a property). Times are nanoseconds after `origin`.
 */

import { Interner } from './intern';
import { finality, RUNNING, STATUSES, statusIndex } from './kinds';
import { NO_TEXT, spansOf, unfolded, type FigureField, type SpanColumns, type TextField, type TextPiece } from './spancolumns';
import { parseIsoNs } from './time';

/** A span as the API sends it, in JSON or as a row of an Arrow stream. */
export interface SpanSkeleton {
  span_id: string;
  name: string;
  kind: string;
  status: string;
  start_ns: number;
  end_ns?: number | null;
  parent_span_id?: string | null;
  agent?: string | null;
  model?: string | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
  cost_usd?: number | null;
  error_type?: string | null;
  service?: string | null;
  tool?: string | null;
  task_id?: string | null;
  attempt?: number | null;
  time_to_first_token_ms?: number | null;
  cache_read_tokens?: number | null;
  cache_write_tokens?: number | null;
}

/** When spans start and end, by row; nanoseconds after the origin. What is drawn may differ from what was recorded. */
export interface SpanTimes {
  readonly start: Float64Array;
  /** NaN while a span runs. */
  readonly end: Float64Array;
}

/** Columns that are the API's as they come, by the API's name. */
const FIGURES = {
  attempt: 'attempt',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  cacheRead: 'cache_read_tokens',
  cacheWrite: 'cache_write_tokens',
  cost: 'cost_usd',
} as const satisfies Record<string, FigureField>;
const CODES = {
  name: 'name',
  kind: 'kind',
  agent: 'agent',
  model: 'model',
  tool: 'tool',
  error: 'error_type',
  service: 'service',
  taskId: 'task_id',
} as const satisfies Record<string, TextField>;
const FLOAT_COLUMNS = ['start', 'end', 'firstToken', ...keysOf(FIGURES)] as const;
const CODE_COLUMNS = keysOf(CODES);

function keysOf<Key extends string>(record: Record<Key, unknown>): Key[] {
  return Object.keys(record) as Key[];
}

export class SpanStore implements SpanTimes {
  count = 0;
  /** Grows with every change, so that derived data knows when it is old. */
  version = 0;
  /** What `start` and `end` count from, nanoseconds since the epoch; null until the first report. */
  origin: bigint | null = null;

  ids: string[] = [];
  parents: (string | null)[] = [];
  /** The row of each span's parent; -1 while there is none. */
  parentRow = new Int32Array(64);
  start = new Float64Array(64);
  /** NaN while a span runs. */
  end = new Float64Array(64);
  /** When the first piece of a streamed answer came; NaN when not known, as in every column of figures. */
  firstToken = new Float64Array(64);
  /** Which try of a step a span is. */
  attempt = new Float64Array(64);
  /** With what was read from and written to a cache. */
  inputTokens = new Float64Array(64);
  outputTokens = new Float64Array(64);
  cacheRead = new Float64Array(64);
  cacheWrite = new Float64Array(64);
  cost = new Float64Array(64);
  status = new Uint8Array(64);
  name = new Uint32Array(64);
  kind = new Uint32Array(64);
  agent = new Uint32Array(64);
  model = new Uint32Array(64);
  tool = new Uint32Array(64);
  error = new Uint32Array(64);
  service = new Uint32Array(64);
  /** The managed task that a span is an attempt of. */
  taskId = new Uint32Array(64);
  readonly strings = new Interner();

  private readonly rows = new Map<string, number>();
  /** Rows by the parent that has not arrived. */
  private readonly orphans = new Map<string, number[]>();

  /** Takes spans whose times count from `origin` (ISO 8601). Returns how many rows were added or changed. */
  apply(origin: string, spans: Iterable<SpanSkeleton> | SpanColumns): number {
    const base = parseIsoNs(origin);
    this.origin ??= base;
    const shift = Number(base - this.origin);
    const changed = 'count' in spans ? this.takeColumns(spans, shift) : this.takeEach(spans, shift);
    if (changed > 0) this.version++;
    return changed;
  }

  private takeEach(spans: Iterable<SpanSkeleton>, shift: number): number {
    let changed = 0;
    for (const span of spans) if (this.put(span, shift)) changed++;
    return changed;
  }

  /** Into an empty store columns are copied, a tenth of the time that span after span takes. */
  private takeColumns(columns: SpanColumns, shift: number): number {
    if (this.count > 0) return this.takeEach(spansOf(columns), shift);
    const { count } = columns;
    const ids = unfolded(columns.texts('span_id'), count) as string[];
    ids.forEach((id, row) => this.rows.set(id, row));
    if (this.rows.size < count) {
      this.rows.clear(); // an id comes twice: the one that is final stands
      return this.takeEach(spansOf(columns), shift);
    }
    [this.ids, this.count] = [ids, count];
    this.makeRoom(count);
    this.fillLinks(columns.texts('parent_span_id'));
    this.fillTimes(columns, shift);
    for (const name of keysOf(FIGURES)) this[name].set(columns.figures(FIGURES[name]) ?? none(count));
    for (const name of keysOf(CODES)) fill(this[name], columns.texts(CODES[name]), (text) => this.strings.number(text));
    fill(this.status, columns.texts('status'), statusIndex);
    return count;
  }

  private fillTimes(columns: SpanColumns, shift: number): void {
    const [starts, ends, firsts] = (['start_ns', 'end_ns', 'time_to_first_token_ms'] as const).map(
      (field) => columns.figures(field) ?? none(columns.count),
    );
    for (let row = 0; row < columns.count; row++) {
      this.start[row] = starts[row] + shift;
      this.end[row] = ends[row] + shift;
      this.firstToken[row] = starts[row] + shift + firsts[row] * 1e6;
    }
  }

  private fillLinks(pieces: readonly TextPiece[]): void {
    this.parents = unfolded(pieces, this.count);
    this.parentRow.fill(-1, 0, this.count);
    let row = 0;
    for (const { codes, texts } of pieces) {
      const rows = texts.map((id) => this.rowOf(id));
      for (const code of codes) {
        if (code !== NO_TEXT && (this.parentRow[row] = rows[code]) < 0) this.awaitParent(row, texts[code]);
        row++;
      }
    }
  }

  /** The row of a span id, or -1. */
  rowOf(id: string | null): number {
    return id === null ? -1 : (this.rows.get(id) ?? -1);
  }

  nameOf(row: number): string {
    return this.strings.texts[this.name[row]];
  }

  kindOf(row: number): string {
    return this.strings.texts[this.kind[row]];
  }

  isRunning(row: number): boolean {
    return this.status[row] === RUNNING;
  }

  private put(span: SpanSkeleton, shift: number): boolean {
    const held = this.rows.get(span.span_id);
    if (held === undefined) {
      this.write(this.append(span.span_id), span, shift);
      return true;
    }
    if (finality(span.status) < finality(STATUSES[this.status[held]])) return false;
    this.write(held, span, shift);
    return true;
  }

  private append(id: string): number {
    const row = this.count++;
    this.makeRoom(row + 1);
    this.ids.push(id);
    this.rows.set(id, row);
    this.parents[row] = null;
    this.parentRow[row] = -1;
    this.adopt(id, row);
    return row;
  }

  /** Links are kept as rows: looking ids up for every span at every change would be most of a large run's work. */
  private link(row: number, parent: string | null): void {
    if (parent === this.parents[row]) return;
    this.parents[row] = parent;
    this.parentRow[row] = this.rowOf(parent);
    if (parent !== null && this.parentRow[row] < 0) this.awaitParent(row, parent);
  }

  private awaitParent(row: number, parent: string): void {
    const waiting = this.orphans.get(parent);
    if (waiting) waiting.push(row);
    else this.orphans.set(parent, [row]);
  }

  private adopt(id: string, row: number): void {
    for (const child of this.orphans.get(id) ?? []) if (this.parents[child] === id) this.parentRow[child] = row;
    this.orphans.delete(id);
  }

  private write(row: number, span: SpanSkeleton, shift: number): void {
    const { strings } = this;
    this.link(row, span.parent_span_id ?? null);
    this.start[row] = span.start_ns + shift;
    this.end[row] = span.end_ns == null ? NaN : span.end_ns + shift;
    this.status[row] = statusIndex(span.status);
    this.firstToken[row] = span.start_ns + shift + (span.time_to_first_token_ms ?? NaN) * 1e6;
    this.attempt[row] = span.attempt ?? NaN;
    this.inputTokens[row] = span.input_tokens ?? NaN;
    this.outputTokens[row] = span.output_tokens ?? NaN;
    this.cacheRead[row] = span.cache_read_tokens ?? NaN;
    this.cacheWrite[row] = span.cache_write_tokens ?? NaN;
    this.cost[row] = span.cost_usd ?? NaN;
    this.name[row] = strings.number(span.name);
    this.kind[row] = strings.number(span.kind);
    this.agent[row] = strings.number(span.agent);
    this.model[row] = strings.number(span.model);
    this.tool[row] = strings.number(span.tool);
    this.error[row] = strings.number(span.error_type);
    this.service[row] = strings.number(span.service);
    this.taskId[row] = strings.number(span.task_id);
  }

  private makeRoom(count: number): void {
    if (count <= this.start.length) return;
    const size = Math.max(count, this.start.length * 2);
    for (const column of FLOAT_COLUMNS) {
      const larger = new Float64Array(size);
      larger.set(this[column]);
      this[column] = larger;
    }
    for (const column of CODE_COLUMNS) {
      const larger = new Uint32Array(size);
      larger.set(this[column]);
      this[column] = larger;
    }
    const [status, parentRow] = [new Uint8Array(size), new Int32Array(size)];
    status.set(this.status);
    parentRow.set(this.parentRow);
    [this.status, this.parentRow] = [status, parentRow];
  }
}

function none(count: number): Float64Array {
  return new Float64Array(count).fill(NaN);
}

/** Writes what each text means, 0 where there is none. */
function fill(column: Uint8Array | Uint32Array, pieces: readonly TextPiece[], meaning: (text: string) => number): void {
  let row = 0;
  for (const { codes, texts } of pieces) {
    const meanings = texts.map(meaning);
    for (let i = 0; i < codes.length; i++) column[row++] = codes[i] === NO_TEXT ? 0 : meanings[codes[i]];
  }
}
