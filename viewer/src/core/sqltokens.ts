/** SQL cut into pieces that are coloured alike. */

import { KEYWORDS, TYPES } from './duckdb';

export type TokenKind = 'keyword' | 'type' | 'string' | 'number' | 'comment' | 'name' | 'bracket' | 'other';

/** From `start` to before `end`. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

const WORDS: ReadonlySet<string> = new Set(KEYWORDS.split(' '));
const TYPE_WORDS: ReadonlySet<string> = new Set(TYPES.split(' '));
const CONSTANTS: ReadonlySet<string> = new Set(['true', 'false', 'null']);

// What is not closed reaches to the end.
const PIECES = new RegExp(
  [
    String.raw`(?<comment>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))`,
    String.raw`(?<string>[eE]'(?:\\[\s\S]|''|[^'\\])*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))`,
    String.raw`(?<quoted>"(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<number>\b\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\B\.\d+)`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_]*)`,
    String.raw`(?<bracket>[()[\]{}])`,
  ].join('|'),
  'gu',
);

/** The pieces in order; what lies between them is spaces and operators. */
export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  for (const match of sql.matchAll(PIECES)) found.push({ kind: kindOf(match), start: match.index, end: match.index + match[0].length });
  return found;
}

function kindOf({ groups = {} }: RegExpMatchArray): TokenKind {
  if (groups.comment !== undefined) return 'comment';
  if (groups.string !== undefined) return 'string';
  if (groups.number !== undefined) return 'number';
  if (groups.bracket !== undefined) return 'bracket';
  const word = groups.word?.toLowerCase();
  if (word === undefined) return 'name';
  if (CONSTANTS.has(word)) return 'number';
  return WORDS.has(word) ? 'keyword' : TYPE_WORDS.has(word) ? 'type' : 'name';
}

const OPENING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

/** The bracket beside a place and the one that belongs to it, as places in the text; null when there is no pair. */
export function bracketsAt(sql: string, all: readonly Token[], place: number): readonly [number, number] | null {
  const brackets = all.filter((token) => token.kind === 'bracket');
  const at = brackets.findIndex((token) => token.end === place || token.start === place);
  const open: number[] = [];
  for (const [i, { start }] of brackets.entries()) {
    if (OPENING[sql[start]]) {
      open.push(i);
      continue;
    }
    const partner = open.pop();
    if (partner === undefined || OPENING[sql[brackets[partner].start]] !== sql[start]) return null;
    if (partner === at || i === at) return [brackets[partner].start, start];
  }
  return null;
}

/** A piece of a line, all of one look. */
export interface Piece {
  readonly text: string;
  readonly kind: TokenKind;
  /** Names of what is marked here beside. */
  readonly marks: string;
}

export interface Mark {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The lines of a text in pieces; together they are the text. */
export function lookOf(sql: string, all: readonly Token[], marks: readonly Mark[] = []): Piece[][] {
  const cuts = new Set<number>([0, sql.length]);
  for (const { start, end } of [...all, ...marks]) cuts.add(start).add(Math.min(end, sql.length));
  const places = [...cuts].sort((a, b) => a - b);
  const lines: Piece[][] = [[]];
  let next = 0;
  for (let i = 1; i < places.length; i++) {
    const [from, until] = [places[i - 1], places[i]];
    while (next < all.length && all[next].end <= from) next++;
    const kind = next < all.length && all[next].start <= from ? all[next].kind : 'other';
    const here = marks.filter(({ start, end }) => start <= from && until <= end).map(({ name }) => name).join(' ');
    sql.slice(from, until).split('\n').forEach((text, part) => {
      if (part > 0) lines.push([]);
      if (text !== '') lines[lines.length - 1].push({ text, kind, marks: here });
    });
  }
  return lines;
}
