/** What there is to know of a column before asking for it: the queries that find out, and their answers. */

import { sqlName } from './sqltext';

export type FactsKind = 'figures' | 'times' | 'texts' | 'nested';

/** One bar of a small histogram, or one of the most frequent values. */
export interface FactsBar {
  readonly label: string;
  readonly count: number;
}

export interface ColumnFacts {
  readonly kind: FactsKind;
  readonly rows: number;
  readonly nulls: number;
  /** About; counted by a sketch. */
  readonly distinct: number | null;
  readonly min: unknown;
  readonly median: unknown;
  readonly max: unknown;
  readonly bars: readonly FactsBar[];
}

const BARS = 16;
const TOP = 6;

export function factsKind(type: string): FactsKind {
  if (/^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|REAL|DECIMAL.*)$/.test(type)) return 'figures';
  if (/^(?:TIMESTAMP|DATE)/.test(type)) return 'times';
  return type === 'JSON' || type.endsWith(']') || /^(?:STRUCT|MAP)/.test(type) ? 'nested' : 'texts';
}

/** The query for one row: rows, nulls, distinct, min, median, max. */
export function factsSql(table: string, column: string, type: string): string {
  const name = sqlName(column);
  const kind = factsKind(type);
  const ordered = kind === 'figures' || kind === 'times';
  const middle = kind === 'figures' ? `median(${name})` : kind === 'times' ? `quantile_disc(${name}, 0.5)` : 'NULL';
  const distinct = kind === 'nested' ? 'NULL' : `approx_count_distinct(${name})`;
  return (
    `SELECT count(*) AS "rows", count(*) - count(${name}) AS nulls, ${distinct} AS "distinct",\n` +
    `  ${ordered ? `min(${name})` : 'NULL'} AS min, ${middle} AS median, ${ordered ? `max(${name})` : 'NULL'} AS max\n` +
    `FROM ${sqlName(table)}`
  );
}

/** The query for bars: equal stretches between min and max, or the most frequent values; null when neither makes sense. */
export function barsSql(table: string, column: string, type: string): string | null {
  const name = sqlName(column);
  const kind = factsKind(type);
  if (kind === 'nested') return null;
  if (kind === 'texts') {
    return (
      `SELECT left(${name}::VARCHAR, 60) AS label, count(*) AS count\nFROM ${sqlName(table)}\n` +
      `WHERE ${name} IS NOT NULL\nGROUP BY label ORDER BY count DESC, label LIMIT ${TOP}`
    );
  }
  const value = kind === 'times' ? `epoch_ns(${name}::TIMESTAMP_NS)::DOUBLE` : `${name}::DOUBLE`;
  return (
    `WITH v AS (SELECT ${value} AS x FROM ${sqlName(table)} WHERE isfinite(${value})),\n` +
    '  e AS (SELECT min(x) AS low, max(x) AS high FROM v)\n' +
    `SELECT least(floor((x - low) / nullif(high - low, 0) * ${BARS}), ${BARS - 1})::INTEGER AS label, count(*) AS count\n` +
    'FROM v, e GROUP BY label ORDER BY label'
  );
}

/** The answers put together. facts: the row of factsSql. bars: the rows of barsSql. */
export function readFacts(type: string, facts: readonly unknown[], bars: readonly (readonly unknown[])[]): ColumnFacts {
  const [rows, nulls, distinct, min, median, max] = facts;
  const kind = factsKind(type);
  return {
    kind,
    rows: Number(rows),
    nulls: Number(nulls),
    distinct: distinct === null ? null : Math.min(Number(distinct), Number(rows) - Number(nulls)),
    min,
    median,
    max,
    bars: kind === 'texts' ? bars.map(([label, count]) => ({ label: String(label), count: Number(count) })) : stretches(bars),
  };
}

function stretches(rows: readonly (readonly unknown[])[]): FactsBar[] {
  const bars = Array.from({ length: BARS }, (_, i) => ({ label: String(i), count: 0 }));
  for (const [label, count] of rows) {
    // All values equal: there is nothing to spread, so one bar holds them.
    const place = label === null ? 0 : Number(label);
    bars[place] = { label: String(place), count: Number(count) };
  }
  return rows.length === 0 ? [] : bars;
}
