/** What a word of a query may become: tables, columns, keywords, functions; those that fit best first. */

import { KEYWORDS, TYPES } from './duckdb';
import { sqlName } from './sqltext';
import type { Token } from './sqltokens';

export interface SqlTable {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly unit: string | null; readonly description: string }[];
}

export interface SqlFunctionName {
  readonly name: string;
  readonly parameters: string;
  readonly description: string;
}

export interface Offer {
  readonly label: string;
  /** What is written, and how far from its end the cursor then stands. */
  readonly insert: string;
  readonly back: number;
  readonly detail: string;
  readonly info: string;
  /** Rank among offers that fit equally well. */
  readonly boost: number;
}

export interface Offers {
  /** Where the word begins that an offer replaces; it ends at the cursor. */
  readonly from: number;
  readonly offers: readonly Offer[];
}

const MOST = 60;
const WORD = /[\p{L}\p{N}_]*$/u;
const NOTHING: Offers = { from: 0, offers: [] };
const WORDS: readonly Offer[] = [...new Set(`${KEYWORDS} ${TYPES}`.split(' '))].map((word) => offer(word, word, { boost: -20 }));

/** asked: the reader has asked for offers, so that they come without a letter, too. */
export function sqlOffers(
  text: string,
  place: number,
  all: readonly Token[],
  tables: readonly SqlTable[],
  functions: readonly SqlFunctionName[],
  asked = false,
): Offers {
  if (all.some(({ kind, start, end }) => (kind === 'string' || kind === 'comment') && start < place && place <= end)) return NOTHING;
  const word = WORD.exec(text.slice(0, place))?.[0] ?? '';
  const from = place - word.length;
  const owner = ownerBefore(text, from);
  if (word === '' && !asked && owner === null) return NOTHING;
  if (/^\d/.test(word)) return NOTHING;
  const possible = owner === null ? everything(text, tables, functions) : columnsOf(tableCalled(owner, text, tables));
  return { from, offers: ranked(possible, word) };
}

function everything(text: string, tables: readonly SqlTable[], functions: readonly SqlFunctionName[]): Offer[] {
  const named = tables.filter((table) => new RegExp(`\\b${table.name}\\b`, 'i').test(text));
  // Of a query that names no table, most are about runs.
  const columns = (named.length > 0 ? named : tables.filter((table) => table.name === 'runs')).flatMap(columnsOf);
  const known = new Map(columns.map((column) => [column.label, column]));
  const ofTables = tables.map(({ name, description }) => offer(name, sqlName(name), { detail: 'table', info: description, boost: 20 }));
  const ofFunctions = functions.map(({ name, parameters, description }) =>
    offer(name, `${name}()`, { back: parameters ? 1 : 0, detail: `(${parameters})`, info: description, boost: -10 }),
  );
  return [...ofTables, ...known.values(), ...WORDS, ...ofFunctions];
}

function columnsOf(table: SqlTable | undefined): Offer[] {
  return (table?.columns ?? []).map(({ name, type, unit, description }) =>
    offer(name, sqlName(name), { detail: type.toLowerCase(), info: unit ? `${description} (${unit})` : description, boost: 10 }),
  );
}

function offer(label: string, insert: string, more: Partial<Offer>): Offer {
  return { label, insert, back: 0, detail: '', info: '', boost: 0, ...more };
}

/** The name before a point: "r" in "r.na". */
function ownerBefore(text: string, place: number): string | null {
  return /(?:^|[^\p{L}\p{N}_.])([\p{L}_][\p{L}\p{N}_]*)\.$/u.exec(text.slice(0, place))?.[1] ?? null;
}

/** The table of this name, or the one that is called so after FROM or JOIN. */
function tableCalled(name: string, text: string, tables: readonly SqlTable[]): SqlTable | undefined {
  const aliased = new RegExp(`\\b(?:from|join|,)\\s*(\\w+)\\s+(?:as\\s+)?${name}\\b`, 'i').exec(text)?.[1];
  const wanted = (aliased ?? name).toLowerCase();
  return tables.find((table) => table.name.toLowerCase() === wanted);
}

function ranked(possible: readonly Offer[], word: string): Offer[] {
  const lower = word.toLowerCase();
  const fitting = possible.flatMap((one) => {
    const fit = fitOf(one.label.toLowerCase(), lower);
    return fit < 0 ? [] : [{ one, rank: fit * 1000 + one.boost }];
  });
  fitting.sort((a, b) => b.rank - a.rank || (a.one.label < b.one.label ? -1 : 1));
  return fitting.slice(0, MOST).map(({ one }) => one);
}

/** How well a label fits what was typed: its beginning, the beginning of a part, all letters in order; -1: not at all. */
function fitOf(label: string, word: string): number {
  if (label.startsWith(word)) return 3;
  if (label.includes(`_${word}`)) return 2;
  if (label.includes(word)) return 1;
  let at = -1;
  for (const letter of word) {
    at = label.indexOf(letter, at + 1);
    if (at < 0) return -1;
  }
  return label[0] === word[0] ? 0 : -1;
}
