/** DuckDB's dialect: the words of its queries, from `duckdb_keywords()`. */

const RESERVED_WORDS =
  'all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create ' +
  'default deferrable desc describe distinct do else end except false fetch for foreign from group having in ' +
  'initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer ' +
  'pivot_wider placing primary qualify references returning select show some summarize symmetric table then to ' +
  'trailing true union unique unpivot using variadic when where window with';

const OTHER_WORDS =
  'anti asof at between by coalesce cross cube current day days escape exclude exclusive exists explain extract ' +
  'filter first following full glob grouping hour hours ignore ilike inner is isnull join key last left like ' +
  'macro materialized maxvalue minute minutes month months name natural next no none notnull nullif nulls of off ' +
  'others over overlay partition percent position positional preceding quarter range recursive rename replace ' +
  'respect right rollup row rows sample second seconds semi set sets similar substring system tables tablesample ' +
  'ties treat trim try_cast unbounded values view week weeks within without year years';

/** Words that are names only in quotes. */
export const RESERVED: ReadonlySet<string> = new Set(RESERVED_WORDS.split(' '));

export const KEYWORDS = `${RESERVED_WORDS} ${OTHER_WORDS}`;

export const TYPES =
  'bigint bit blob boolean date decimal double float hugeint integer interval json list map real smallint struct ' +
  'text time timestamp timestamp_ms timestamp_ns timestamp_s timestamptz tinyint ubigint uhugeint uinteger union ' +
  'usmallint utinyint uuid varchar';
