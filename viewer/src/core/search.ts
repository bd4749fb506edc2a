/** The run page's search: words in names, and conditions such as `kind:llm status:failed dur>2s cost>0.05`. */

import { STATUSES } from './kinds';
import type { SpanStore } from './spans';

type Test = (store: SpanStore, row: number) => boolean;

const DURATION_UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 60e9, h: 3600e9 };

/** Rows that meet all terms of the query; null for an empty query. `now` ends the spans that still run. */
export function searchSpans(store: SpanStore, query: string, now: number): Uint8Array | null {
  const tests = splitTerms(query).map((term) => parseTerm(term, now));
  if (tests.length === 0) return null;
  const matches = new Uint8Array(store.count);
  for (let row = 0; row < store.count; row++) {
    matches[row] = tests.every((test) => test(store, row)) ? 1 : 0;
  }
  return matches;
}

/** Words separated by blanks; double quotes keep blanks together, also behind a colon. */
export function splitTerms(query: string): string[] {
  const terms = query.match(/(?:[^\s"]+|"[^"]*"?)+/g) ?? [];
  return terms.map((term) => term.replaceAll('"', '')).filter((term) => term !== '');
}

function parseTerm(term: string, now: number): Test {
  const colon = /^(kind|status|model|agent|error|name|id):(.+)$/i.exec(term);
  if (colon) return fieldTest(colon[1].toLowerCase(), colon[2].toLowerCase());
  const figure = /^(dur|cost|tokens)([<>])=?(\d+(?:\.\d+)?)(ns|us|µs|ms|s|min|h)?$/i.exec(term);
  if (figure) return figureTest(figure[1].toLowerCase(), figure[2], Number(figure[3]), figure[4] ?? 's', now);
  return wordTest(term.toLowerCase());
}

// Interned texts are compared once per distinct text, not once per span.
function contains(part: string): (store: SpanStore, code: number) => boolean {
  const known = new Map<number, boolean>();
  return (store, code) => {
    let verdict = known.get(code);
    if (verdict === undefined) known.set(code, (verdict = store.strings.texts[code].toLowerCase().includes(part)));
    return verdict;
  };
}

function fieldTest(field: string, wanted: string): Test {
  const has = contains(wanted);
  if (field === 'status') return (store, row) => STATUSES[store.status[row]].startsWith(wanted);
  if (field === 'id') return (store, row) => store.ids[row].startsWith(wanted);
  const column = field as 'kind' | 'model' | 'agent' | 'error' | 'name';
  return (store, row) => store[column][row] !== 0 && has(store, store[column][row]);
}

function figureTest(field: string, sign: string, limit: number, unit: string, now: number): Test {
  const above = sign === '>';
  const limitNs = limit * DURATION_UNITS[unit.toLowerCase()];
  return (store, row) => {
    if (field === 'dur') {
      const end = Number.isNaN(store.end[row]) ? now : store.end[row];
      return above ? end - store.start[row] > limitNs : end - store.start[row] < limitNs;
    }
    const value = field === 'cost' ? store.cost[row] : tokensOf(store, row);
    return above ? value > limit : value < limit;
  };
}

function tokensOf(store: SpanStore, row: number): number {
  const [input, output] = [store.inputTokens[row], store.outputTokens[row]];
  return Number.isNaN(input) ? output : input + (Number.isNaN(output) ? 0 : output);
}

function wordTest(word: string): Test {
  const has = contains(word);
  return (store, row) =>
    has(store, store.name[row]) ||
    has(store, store.kind[row]) ||
    has(store, store.model[row]) ||
    has(store, store.error[row]) ||
    store.ids[row] === word;
}
