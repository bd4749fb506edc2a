/**
 * What the colour of a bar means. One meaning at a time: kind, status, cost, tokens, model or agent.
 *
 * Colours are names of tokens, so that canvases and legends agree in every theme. Red belongs to errors, and the accent
 * to what is selected or live; neither stands for a model or an agent.
 */

import { formatCost, formatTokens } from './format';
import { KIND_GROUPS, STATUSES } from './kinds';
import type { Colouring } from './runview';
import type { SpanStore } from './spans';

export interface ColourScale {
  readonly colouring: Colouring;
  /** Token and meaning of each colour. */
  readonly colours: readonly { readonly token: string; readonly label: string }[];
  /** The number of a span's colour. */
  readonly of: (row: number) => number;
}

const STATUS_TOKENS = ['accent', 'ok', 'error', 'kind-io', 'ink-3', 'warn'] as const;
const STEPS = 5;
/** Hues for models and agents, as far apart as they come; what is beyond them shares one more. */
const HUES = ['kind-llm', 'kind-tool', 'kind-exec', 'kind-agent', 'kind-human', 'kind-check', 'kind-retrieval'] as const;
const NEUTRAL = 'kind-io';
const OTHERS = 'kind-task';

/** groupOf: the kind's group of a span, as an index into KIND_GROUPS. */
export function colourScale(colouring: Colouring, store: SpanStore, groupOf: (row: number) => number): ColourScale {
  switch (colouring) {
    case 'kind':
      return { colouring, colours: KIND_GROUPS.map((group) => ({ token: `kind-${group}`, label: group })), of: groupOf };
    case 'status':
      return { colouring, colours: STATUSES.map((label, i) => ({ token: STATUS_TOKENS[i], label })), of: (row) => store.status[row] };
    case 'cost':
      return ramp(colouring, store.count, (row) => store.cost[row], (usd) => formatCost(usd), 'no cost');
    case 'tokens':
      return ramp(colouring, store.count, (row) => tokensOf(store, row), formatTokens, 'no tokens');
    case 'model':
      return categories(colouring, store, store.model, 'no model');
    case 'agent':
      return categories(colouring, store, store.agent, 'no agent');
  }
}

/** Tokens in and out; NaN when neither is known. */
export function tokensOf(store: SpanStore, row: number): number {
  const [input, output] = [store.inputTokens[row], store.outputTokens[row]];
  if (Number.isNaN(input)) return output;
  return Number.isNaN(output) ? input : input + output;
}

/** Four limits below the largest value, a factor of about three apart: 0.03, 0.01, 0.003 and so on. */
export function rampLimits(largest: number): number[] {
  if (!(largest > 0)) return [];
  let power = Math.floor(Math.log10(largest));
  let digit = largest > 3 * 10 ** power ? 3 : 1;
  if (10 ** power * digit >= largest) [digit, power] = digit === 3 ? [1, power] : [3, power - 1];
  const limits: number[] = [];
  for (let i = 1; i < STEPS; i++) {
    limits.unshift(Number(`${digit}e${power}`));
    [digit, power] = digit === 3 ? [1, power] : [3, power - 1];
  }
  return limits;
}

function ramp(colouring: Colouring, count: number, valueOf: (row: number) => number, format: (value: number) => string, none: string): ColourScale {
  let largest = 0;
  for (let row = 0; row < count; row++) if (valueOf(row) > largest) largest = valueOf(row);
  const limits = rampLimits(largest);
  const labels = limits.length === 0 ? [] : [...limits.map((limit) => `up to ${format(limit)}`), `more than ${format(limits[limits.length - 1])}`];
  const colours = [{ token: NEUTRAL, label: none }, ...labels.map((label, i) => ({ token: `ramp-${i + 1}`, label }))];
  const of = (row: number) => {
    const value = valueOf(row);
    if (!(value > 0)) return 0;
    let step = 1;
    while (step < STEPS && value > limits[step - 1]) step++;
    return step;
  };
  return { colouring, colours, of };
}

/** The most frequent values get a hue each, in the order in which the run names them, so that hues stay while it grows. */
function categories(colouring: Colouring, store: SpanStore, codes: Uint32Array, none: string): ColourScale {
  const counts = new Map<number, number>();
  for (let row = 0; row < store.count; row++) {
    const code = codes[row];
    if (store.strings.text(code) != null) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  const frequent = new Set([...counts].sort((a, b) => b[1] - a[1]).slice(0, HUES.length).map(([code]) => code));
  const places = new Map([...counts.keys()].filter((code) => frequent.has(code)).map((code, i) => [code, i + 1]));
  const colours = [{ token: NEUTRAL, label: none }, ...[...places].map(([code, i]) => ({ token: HUES[i - 1], label: store.strings.text(code) ?? '' }))];
  const other = counts.size > places.size ? colours.push({ token: OTHERS, label: `${counts.size - places.size} others` }) - 1 : 0;
  return { colouring, colours, of: (row) => places.get(codes[row]) ?? (counts.has(codes[row]) ? other : 0) };
}

export interface LegendEntry {
  readonly token: string;
  readonly label: string;
  readonly count: number;
}

/** The colours that spans have, with how many have each. */
export function legendOf(scale: ColourScale, spanCount: number): LegendEntry[] {
  const counts = new Array<number>(scale.colours.length).fill(0);
  for (let row = 0; row < spanCount; row++) counts[scale.of(row)]++;
  return scale.colours.map((colour, i) => ({ ...colour, count: counts[i] })).filter(({ count }) => count > 0);
}
