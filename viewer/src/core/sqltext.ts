/** SQL as text: where its statements are, where an error lies in it, how names are written. */

import { RESERVED } from './duckdb';

/** Part of a text: from `start` to before `end`. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

// What may hold a semicolon that ends nothing, then the semicolon itself.
const PIECES =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\b[eE]'(?:\\[\s\S]|''|[^'\\])*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|;/g;
const COMMENTS = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g;

/** The statements of a text, without their semicolons and the space around them; comments alone are none. */
export function statements(sql: string): Extent[] {
  const found: Extent[] = [];
  let start = 0;
  for (const match of sql.matchAll(PIECES)) {
    if (match[0] !== ';') continue;
    add(found, sql, start, match.index);
    start = match.index + 1;
  }
  add(found, sql, start, sql.length);
  return found;
}

function add(found: Extent[], sql: string, from: number, to: number): void {
  const text = sql.slice(from, to);
  if (text.replace(COMMENTS, '').trim() === '') return;
  const start = from + (text.length - text.trimStart().length);
  found.push({ start, end: start + text.trim().length });
}

/** The statement at a place: the one around it, or before it when it stands between two; null when there is none. */
export function statementAt(sql: string, place: number): Extent | null {
  const all = statements(sql);
  return all.findLast((one) => one.start <= place) ?? all[0] ?? null;
}

const LINE = /^LINE (\d+): (.*)\n( *)\^/m;
const WORD = /^(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[\w.$]+|\S)/;

/** Where DuckDB says that an error lies in `sql`: the word at its mark. Null when it does not say. */
export function errorExtent(sql: string, message: string): Extent | null {
  const match = LINE.exec(message);
  if (!match) return null;
  const [, line, excerpt, indent] = match;
  const mark = indent.length - `LINE ${line}: `.length;
  // Long lines are shown in part, with dots where something is left out.
  const cut = /^\.\.\./.test(excerpt) ? 3 : 0;
  const shown = excerpt.slice(cut).replace(/\.\.\.$/, '');
  const start = lineStart(sql, Number(line));
  const inLine = sql.slice(start).split('\n', 1)[0];
  const place = shown.length > 0 ? inLine.indexOf(shown) : -1;
  if (place < 0 || mark < cut) return null;
  const at = Math.min(start + place + mark - cut, sql.length);
  return { start: at, end: at + (WORD.exec(sql.slice(at))?.[0].length ?? 0) };
}

function lineStart(sql: string, line: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) {
    const next = sql.indexOf('\n', start);
    if (next < 0) return start;
    start = next + 1;
  }
  return start;
}

/** What DuckDB says less the picture of the line, which the editor shows better. */
export function errorText(message: string): string {
  const at = message.search(/^LINE \d+: /m);
  return (at < 0 ? message : message.slice(0, at)).trim();
}

/** "line 2, column 5", from 1. */
export function placeInText(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** A name as SQL wants it: in quotes where it would be read as something else. */
export function sqlName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
