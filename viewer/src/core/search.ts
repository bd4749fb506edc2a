/**
 * The run page's search, judged by what is at hand.
 *
 * Columns answer most terms at once, and words by names; what they cannot answer - texts of messages, tags, sessions -
 * is left to the collector, whose language this is. So a span is found, not found, or to be asked about.
 */

import { FAILED, RUNNING, STATUSES } from './kinds';
import { patternOf, readSearch, type SearchNode, type SearchTerm } from './searchtext';
import type { SpanStore } from './spans';

export const NO = 0;
export const YES = 1;
export const ASK = 2;
export type Verdict = typeof NO | typeof YES | typeof ASK;

type Judge = (row: number) => Verdict;

export interface Judgement {
  /** A verdict for each row. */
  readonly verdicts: Uint8Array;
  /** How many are ASK. */
  readonly open: number;
}

/** Fields of spans that the columns say nothing about. */
const ELSEWHERE = new Set(['session', 'user', 'tag', 'provider', 'run', 'started']);
const TEXTS = { name: 'name', agent: 'agent', service: 'service', model: 'model', kind: 'kind', task: 'taskId' } as const;
const NUMBER = /^-?\d+(?:\.\d*)?(?:e[+-]?\d+)?(?=([A-Za-z]*)$)/;
const COUNT_UNITS: Record<string, number> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };
const DURATION_UNITS: Record<string, number> = { ms: 1e6, s: 1e9, m: 60e9, min: 60e9, h: 3600e9, d: 86_400e9 };

/** True when a search asks for nothing. */
export function isEmptySearch(query: string): boolean {
  return query.trim() === '';
}

/** Verdicts on all spans; null when the search cannot be read. `now` ends the spans that still run. */
export function judgeSpans(store: SpanStore, query: string, now: number): Judgement | null {
  const node = readSearch(query);
  const judge = node && judgeOf(store, node, now);
  if (!judge) return null;
  const verdicts = new Uint8Array(store.count);
  let open = 0;
  for (let row = 0; row < store.count; row++) {
    verdicts[row] = judge(row);
    if (verdicts[row] === ASK) open++;
  }
  return { verdicts, open };
}

function judgeOf(store: SpanStore, node: SearchNode, now: number): Judge | null {
  if (node.op === 'term') return termJudge(store, node, now);
  if (node.op === 'not') {
    const inner = judgeOf(store, node.item, now);
    return inner && ((row) => negated(inner(row)));
  }
  const items = node.items.map((item) => judgeOf(store, item, now));
  if (!items.every((item) => item !== null)) return null;
  return combined(items, node.op === 'and' ? NO : YES);
}

function negated(verdict: Verdict): Verdict {
  return verdict === ASK ? ASK : verdict === YES ? NO : YES;
}

/** One verdict decides; without it, an open one leaves the whole open. */
function combined(items: readonly Judge[], decisive: Verdict): Judge {
  return (row) => {
    let whole: Verdict = negated(decisive);
    for (const item of items) {
      const verdict = item(row);
      if (verdict === decisive) return decisive;
      if (verdict === ASK) whole = ASK;
    }
    return whole;
  };
}

const either = (items: readonly Judge[]): Judge => (items.length === 1 ? items[0] : combined(items, YES));
const yes = (holds: boolean): Verdict => (holds ? YES : NO);

function termJudge(store: SpanStore, term: SearchTerm, now: number): Judge | null {
  const { field, sign, values } = term;
  if (Object.hasOwn(FIGURES, field)) return figureJudge(store, term, now);
  if (field === 'started') return () => ASK;
  if (sign !== ':') return null;
  if (field === 'text') return either(values.map((value) => wordJudge(store, value)));
  if (field === 'status') return values.every(isStatus) ? (row) => yes(values.includes(STATUSES[store.status[row]])) : null;
  if (field === 'is') return anyOf(values, STATES, store);
  if (field === 'has') return anyOf(values, HAS, store);
  if (field === 'error') return either(values.map((value) => errorJudge(store, value)));
  if (field === 'tool') return either(values.map((value) => toolJudge(store, value)));
  if (Object.hasOwn(TEXTS, field)) return either(values.map((value) => textJudge(store, TEXTS[field as keyof typeof TEXTS], value)));
  return ELSEWHERE.has(field) ? () => ASK : null;
}

const isStatus = (value: string) => (STATUSES as readonly string[]).includes(value);

type Choice = (store: SpanStore, row: number) => Verdict;

const STATES: Record<string, Choice> = {
  live: (store, row) => yes(store.status[row] === RUNNING),
  ended: (store, row) => yes(store.status[row] !== RUNNING),
};
const HAS: Record<string, Choice> = {
  error: (store, row) => yes(store.status[row] === FAILED),
  cost: (store, row) => yes(!Number.isNaN(store.cost[row])),
  tokens: (store, row) => yes(!Number.isNaN(store.inputTokens[row]) || !Number.isNaN(store.outputTokens[row])),
  agent: (store, row) => yes(store.agent[row] !== 0),
  model: (store, row) => yes(store.model[row] !== 0),
  task: (store, row) => yes(store.taskId[row] !== 0),
  session: () => ASK,
  user: () => ASK,
  tag: () => ASK,
};

function anyOf(values: readonly string[], choices: Record<string, Choice>, store: SpanStore): Judge | null {
  if (!values.every((value) => Object.hasOwn(choices, value))) return null;
  return either(values.map((value): Judge => (row) => choices[value](store, row)));
}

/** Interned texts are compared once per distinct text, not once per span. */
function matcher(store: SpanStore, pattern: RegExp): (code: number) => boolean {
  const known = new Int8Array(store.strings.texts.length).fill(-1);
  return (code) => {
    if (known[code] < 0) known[code] = code !== 0 && pattern.test(store.strings.texts[code]) ? 1 : 0;
    return known[code] === 1;
  };
}

const whole = (value: string) => new RegExp(`^(?:${patternOf(value).source})$`, 's');

function textJudge(store: SpanStore, column: (typeof TEXTS)[keyof typeof TEXTS], value: string): Judge {
  const matches = matcher(store, whole(value));
  return (row) => yes(matches(store[column][row]));
}

function toolJudge(store: SpanStore, value: string): Judge {
  const matches = matcher(store, whole(value));
  return (row) => yes(matches(store.tool[row] || (store.kindOf(row) === 'tool' ? store.name[row] : 0)));
}

/** The message of an error is not at hand, only its type. */
function errorJudge(store: SpanStore, value: string): Judge {
  const matches = matcher(store, whole(value));
  return (row) => {
    if (matches(store.error[row])) return YES;
    return store.error[row] !== 0 || store.status[row] === FAILED ? ASK : NO;
  };
}

/** Words are looked for in what rows show, in any case; the collector looks through all texts, letter for letter. */
function wordJudge(store: SpanStore, word: string): Judge {
  const has = matcher(store, patternOf(word, 'i'));
  return (row) => {
    const { name, tool, kind, model, error, agent } = store;
    const shown = has(name[row]) || has(tool[row]) || has(kind[row]) || has(model[row]) || has(error[row]) || has(agent[row]);
    return shown || store.ids[row] === word ? YES : ASK;
  };
}

/** The figure of a row, NaN when it has none. */
type Figure = (store: SpanStore, row: number, now: number) => number;

const FIGURES: Record<string, { of: Figure; units: Record<string, number> }> = {
  cost: { of: (store, row) => store.cost[row], units: { '': 1 } },
  input_tokens: { of: (store, row) => store.inputTokens[row], units: COUNT_UNITS },
  output_tokens: { of: (store, row) => store.outputTokens[row], units: COUNT_UNITS },
  tokens: { of: (store, row) => (store.inputTokens[row] || 0) + (store.outputTokens[row] || 0), units: COUNT_UNITS },
  dur: {
    of: (store, row, now) => (Number.isNaN(store.end[row]) ? now : store.end[row]) - store.start[row],
    units: DURATION_UNITS,
  },
};

const COMPARED: Record<SearchTerm['sign'], (figure: number, limit: number) => boolean> = {
  ':': (figure, limit) => figure === limit,
  '>': (figure, limit) => figure > limit,
  '>=': (figure, limit) => figure >= limit,
  '<': (figure, limit) => figure < limit,
  '<=': (figure, limit) => figure <= limit,
};

function figureJudge(store: SpanStore, { field, sign, values }: SearchTerm, now: number): Judge | null {
  const { of, units } = FIGURES[field];
  const limits = values.map((value) => readFigure(field === 'cost' ? value.replace(/^\$/, '') : value, units));
  const compare = COMPARED[sign];
  if (limits.some(Number.isNaN)) return null;
  return either(limits.map((limit): Judge => (row) => yes(compare(of(store, row, now), limit))));
}

function readFigure(text: string, units: Record<string, number>): number {
  const found = NUMBER.exec(text);
  if (!found) return NaN;
  if (Number(found[0]) === 0 && found[1] === '') return 0;
  return Number(found[0]) * (Object.hasOwn(units, found[1]) ? units[found[1]] : NaN);
}
