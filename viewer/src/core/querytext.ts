/**
 * The text of a search, as far as the viewer edits it: terms such as model:"gpt 4",b at its outermost level.
 *
 * What a search means is the collector's to say; here only words, quotes and parentheses are told apart.
 */

interface Piece {
  readonly sort: 'term' | 'text' | 'open' | 'close' | 'minus' | 'word';
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Of a term: its field, its operator and its values as they were written. */
  readonly field?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

const STRING = '"(?:\\\\[^]|[^"\\\\])*"';
const VALUE = `(?:${STRING}|(?:\\\\[*"\\\\]|[^\\s(),"])+)`;
const PIECE = new RegExp(
  [
    '(?<space>\\s+)',
    '(?<open>span\\(|\\()',
    '(?<close>\\))',
    '(?<minus>-)',
    `(?<field>[A-Za-z_][\\w.]*)(?<operator>:|>=|<=|!=|=|>|<)(?<values>(?:${VALUE}(?:,${VALUE})*,?)?)`,
    `(?<text>${STRING})`,
    '(?<word>(?:\\\\[*"\\\\]|[^\\s()"])+)',
  ].join('|'),
  'iuy',
);
const BARE = /^[\p{L}\p{N}_][\p{L}\p{N}_.@/+-]*$/u;
const JOINING = ['AND', 'OR', 'NOT'];

/** The pieces of a text, or null when they cannot be told apart: a quote that is not closed. */
function pieces(text: string): Piece[] | null {
  const found: Piece[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < text.length) {
    const start = PIECE.lastIndex;
    const groups = PIECE.exec(text)?.groups;
    if (!groups) return null;
    const place = { text: text.slice(start, PIECE.lastIndex), start, end: PIECE.lastIndex };
    const { field, operator, values } = groups;
    if (field) found.push({ ...place, sort: 'term', field, operator, values: splitValues(values) });
    else if (!groups.space) found.push({ ...place, sort: sortOf(groups) });
  }
  return found;
}

function sortOf(groups: Record<string, string | undefined>): Piece['sort'] {
  for (const sort of ['open', 'close', 'minus', 'text'] as const) if (groups[sort]) return sort;
  return 'word';
}

function splitValues(values: string): string[] {
  return values.match(new RegExp(VALUE, 'gu')) ?? [];
}

/** A value that stands for exactly this text. */
export function quoteValue(text: string): string {
  const escaped = text.replace(/[*"\\]/g, '\\$&');
  return BARE.test(escaped) && !JOINING.includes(escaped) ? escaped : `"${escaped}"`;
}

/** A value as people read it: without its quotes. */
export function readValue(written: string): string {
  const inner = written.startsWith('"') ? written.slice(1, -1) : written;
  return inner.replace(/\\([*"\\])/g, '$1');
}

/** The last term "field:…" that all results fulfil, with its place among the pieces. */
function termOf(found: readonly Piece[], field: string): Piece | null {
  if (joinsByOr(found)) return null;
  let depth = 0;
  let term: Piece | null = null;
  found.forEach((piece, i) => {
    if (piece.sort === 'open') depth++;
    else if (piece.sort === 'close') depth--;
    const before = found[i - 1];
    const negated = before?.sort === 'minus' || (before?.sort === 'word' && before.text === 'NOT');
    if (depth === 0 && !negated && piece.field === field && piece.operator === ':') term = piece;
  });
  return term;
}

function joinsByOr(found: readonly Piece[]): boolean {
  let depth = 0;
  return found.some((piece) => {
    if (piece.sort === 'open') depth++;
    else if (piece.sort === 'close') depth--;
    return depth === 0 && piece.sort === 'word' && piece.text === 'OR';
  });
}

/** The values of a field that a search asks for, as they were written. */
export function valuesOf(query: string, field: string): readonly string[] {
  const found = pieces(query);
  return (found && termOf(found, field)?.values) ?? [];
}

/** The search with other values of a field; none: without the field. What else it says stays as it is written. */
export function withValues(query: string, field: string, values: readonly string[]): string {
  const found = pieces(query) ?? [];
  const term = termOf(found, field);
  const written = values.length > 0 ? `${field}:${values.join(',')}` : '';
  if (term) return tidy(query.slice(0, term.start), written, query.slice(term.end));
  if (written === '') return query;
  return tidy(joinsByOr(found) ? `(${query.trim()})` : query, written, '');
}

function tidy(...parts: string[]): string {
  return parts.map((part) => part.trim()).filter(Boolean).join(' ');
}

/** Whether a text that is being typed may be meant as it stands: no open quote or parenthesis, no term without its value. */
export function isWhole(query: string): boolean {
  const found = pieces(query);
  if (!found) return false;
  let depth = 0;
  for (const { sort } of found) depth += sort === 'open' ? 1 : sort === 'close' ? -1 : 0;
  const last = found.at(-1);
  if (!last) return true;
  const waits = last.sort === 'minus' || (last.sort === 'word' && JOINING.includes(last.text));
  return depth === 0 && !waits && !(last.field && (last.values?.length === 0 || last.text.endsWith(',')));
}

/** The place in UTF-16 units of a place in characters, as the collector counts; and the reverse. */
export function unitsAt(text: string, characters: number): number {
  return [...text].slice(0, characters).join('').length;
}

export function charactersAt(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}
