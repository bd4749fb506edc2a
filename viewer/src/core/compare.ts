/** Two runs side by side: the rows of both trees, what differs on them, and moving among them. */

import type { RunSummary } from './runlist';

export type Aspect = 'input' | 'output' | 'status' | 'model' | 'structure';

/** A span of one run. start_ns: after its run's earliest start. duration_ms: absent while it runs. */
export interface Side {
  span_id: string;
  status: string;
  start_ns: number;
  duration_ms?: number;
  cost_usd?: number;
  input_tokens?: number;
  output_tokens?: number;
  model?: string;
  error_type?: string;
}

/** What b has more than a; absent where one of them is not known. */
export interface Delta {
  duration_ms?: number;
  cost_usd?: number;
  input_tokens?: number;
  output_tokens?: number;
}

export interface ComparedRow {
  depth: number;
  name: string;
  kind: string;
  match: 'both' | 'a' | 'b';
  a?: Side;
  b?: Side;
  delta?: Delta;
  differs?: Aspect[];
}

export interface Comparison {
  a: RunSummary;
  b: RunSummary;
  counts: { same: number; different: number; only_a: number; only_b: number };
  divergence: { row: number; aspect: Aspect } | null;
  rows: ComparedRow[];
  omitted_a: number;
  omitted_b: number;
  approximate: boolean;
}

/** A captured value: whole, or the first characters of its JSON text when it is larger than was asked for. */
export interface CapturedValue {
  bytes: number;
  value?: unknown;
  head?: string | null;
}

/** A message; parts are absent when they are larger than was asked for. */
export interface StoredMessage {
  message_id: string;
  role: string;
  bytes: number;
  parts?: unknown;
}

export interface SpanBodies {
  run_id: string;
  span_id: string;
  name: string;
  status: string;
  input: CapturedValue | null;
  output: CapturedValue | null;
  messages: { input: StoredMessage[]; output: StoredMessage[] } | null;
  error_type: string | null;
  error_message: string | null;
}

export interface SpanComparison {
  a: SpanBodies | null;
  b: SpanBodies | null;
}

export function isDifferent(row: ComparedRow): boolean {
  return row.differs !== undefined && row.differs.length > 0;
}

/** The tree behind the rows, which are in reading order. end: the first row after a row's subtree. */
export interface Outline {
  readonly parent: Int32Array;
  readonly end: Int32Array;
  /** Differences within the subtree, the row's own not counted. */
  readonly differencesBelow: Int32Array;
}

export function outlineOf(rows: readonly ComparedRow[]): Outline {
  const parent = new Int32Array(rows.length).fill(-1);
  const end = new Int32Array(rows.length);
  const differencesBelow = new Int32Array(rows.length);
  const open: number[] = [];
  rows.forEach((row, i) => {
    while (open.length > row.depth) end[open.pop() as number] = i;
    parent[i] = open.at(-1) ?? -1;
    open.push(i);
  });
  for (const i of open) end[i] = rows.length;
  for (let i = rows.length - 1; i >= 0; i--) {
    if (parent[i] >= 0) differencesBelow[parent[i]] += differencesBelow[i] + (isDifferent(rows[i]) ? 1 : 0);
  }
  return { parent, end, differencesBelow };
}

/** Rows on screen: not inside a collapsed one; with onlyDifferences, those that differ and what they are in. */
export function visibleRows(
  rows: readonly ComparedRow[],
  outline: Outline,
  { collapsed, onlyDifferences }: { collapsed: ReadonlySet<number>; onlyDifferences: boolean },
): number[] {
  const visible: number[] = [];
  for (let i = 0; i < rows.length; ) {
    const wanted = !onlyDifferences || isDifferent(rows[i]) || outline.differencesBelow[i] > 0;
    if (wanted) visible.push(i);
    i = !wanted || collapsed.has(i) ? outline.end[i] : i + 1;
  }
  return visible;
}

/** The next row that differs, going round; -1 when there is none. */
export function nextDifference(rows: readonly ComparedRow[], from: number, backwards: boolean): number {
  const step = backwards ? -1 : 1;
  let at = from < 0 && backwards ? 0 : from;
  for (let tried = 0; tried < rows.length; tried++) {
    at = (at + step + rows.length) % rows.length;
    if (isDifferent(rows[at])) return at;
  }
  return -1;
}

/** How a row is named in an address: by its span of b, or, as "a-…", of a where b has none. */
export function rowName(row: ComparedRow): string {
  return row.b ? row.b.span_id : `a-${row.a?.span_id}`;
}

/** The row that an address names; -1 when there is none. A bare id is b's, or else a's. */
export function findRow(rows: readonly ComparedRow[], name: string | null): number {
  if (name === null) return -1;
  const inA = name.replace(/^a-/, '');
  const ofB = inA === name ? rows.findIndex((row) => row.b?.span_id === name) : -1;
  if (ofB >= 0) return ofB;
  return rows.findIndex((row) => row.a?.span_id === inA);
}

/** Input and output tokens together; what b has more than a. */
export function tokenDelta({ input_tokens: input, output_tokens: output }: Delta): number | null {
  return input === undefined && output === undefined ? null : (input ?? 0) + (output ?? 0);
}

export interface SummaryFigure {
  readonly label: string;
  readonly unit: 'time' | 'cost' | 'count';
  readonly a: number | null;
  readonly b: number | null;
}

/** What two runs took, cost and used. Tokens in buckets that do not overlap; those that neither run has are left out. */
export function summaryFigures(a: RunSummary, b: RunSummary): SummaryFigure[] {
  const figure = (label: string, unit: SummaryFigure['unit'], of: (run: RunSummary) => number | null): SummaryFigure => ({
    label,
    unit,
    a: of(a),
    b: of(b),
  });
  const tokens = TOKEN_BUCKETS.map(([label, of]) => figure(label, 'count', of));
  return [
    figure('Wall', 'time', (run) => run.duration_ms),
    figure('Cost', 'cost', (run) => run.cost_usd),
    ...tokens.filter((bucket) => bucket.a || bucket.b),
    figure('Errors', 'count', (run) => run.error_count),
    figure('Spans', 'count', (run) => run.span_count + run.live_span_count),
  ];
}

type OfRun = (run: RunSummary) => number | null;

const cached = (run: RunSummary) => (run.cache_read_tokens ?? 0) + (run.cache_write_tokens ?? 0);
// Parts that exceed the whole were counted beside it.
const withoutPart = (whole: number | null, part: number) => (whole === null ? null : whole - (part > whole ? 0 : part));

const TOKEN_BUCKETS: readonly [string, OfRun][] = [
  ['Input', (run) => withoutPart(run.input_tokens, cached(run))],
  ['Cache read', (run) => run.cache_read_tokens],
  ['Cache write', (run) => run.cache_write_tokens],
  ['Output', (run) => withoutPart(run.output_tokens, run.reasoning_tokens ?? 0)],
  ['Reasoning', (run) => run.reasoning_tokens],
];
