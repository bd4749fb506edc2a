/** What the address of a run page carries: the view, what is selected, searched, focused and measured, and the window of time. */

import { parseViewOptions, writeViewOptions, type ViewOptions } from './viewoptions';

export const RUN_VIEWS = ['waterfall', 'lanes', 'messages', 'log', 'table'] as const;
export type RunView = (typeof RUN_VIEWS)[number];

export const COLOURINGS = ['kind', 'status', 'cost', 'tokens', 'model', 'agent'] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** A setting that the viewer chooses itself until the reader does. */
export type Choice = 'auto' | 'on' | 'off';

export interface RunViewState {
  view: RunView;
  span: string | null;
  /** Window of time in milliseconds after the run's start; null shows the whole run. */
  window: { fromMs: number; toMs: number } | null;
  /** The measured area: milliseconds after the run's start, and its first and last row by their ids; null: all rows. */
  area: { fromMs: number; toMs: number; rows: readonly [first: string, last: string] | null } | null;
  /** The span from which a gap is measured to the selected one. */
  gap: string | null;
  /** The node whose subtree alone is shown. */
  focus: string | null;
  query: string;
  /** Rows without a match are left out. */
  onlyMatches: boolean;
  /** Rows off the critical path are left out. */
  onlyCritical: boolean;
  colouring: Colouring;
  /** The window follows the rows on screen. */
  frameRows: Choice;
  /** Stretches without activity are folded. */
  foldIdle: Choice;
  tab: string | null;
  /** Times as they were recorded, also where clocks of services disagree. */
  rawClocks: boolean;
  options: ViewOptions;
}

export function parseRunView(search: string): RunViewState {
  const params = new URLSearchParams(search);
  const oneOf = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T =>
    allowed.find((value) => value === params.get(name)) ?? otherwise;
  return {
    view: oneOf('view', RUN_VIEWS, 'waterfall'),
    span: params.get('span') || null,
    window: parseWindow(params.get('t')),
    area: parseArea(params),
    gap: params.get('gap') || null,
    focus: params.get('focus') || null,
    query: params.get('q') ?? '',
    onlyMatches: params.get('only') === 'matches',
    onlyCritical: params.get('only') === 'critical',
    colouring: oneOf('color', COLOURINGS, 'kind'),
    frameRows: oneOf('frame', CHOICES, 'auto'),
    foldIdle: oneOf('idle', CHOICES, 'auto'),
    tab: params.get('tab') || null,
    rawClocks: params.get('clocks') === 'raw',
    options: parseViewOptions(params),
  };
}

/** "" or "?view=lanes&span=x": what differs from the defaults, in a fixed order. */
export function formatRunView(state: RunViewState): string {
  const params = new URLSearchParams();
  if (state.view !== 'waterfall') params.set('view', state.view);
  if (state.span) params.set('span', state.span);
  if (state.window) params.set('t', formatWindow(state.window));
  if (state.area) params.set('area', formatWindow(state.area));
  for (const id of state.area?.rows ?? []) params.append('rows', id);
  if (state.gap) params.set('gap', state.gap);
  if (state.focus) params.set('focus', state.focus);
  if (state.query) params.set('q', state.query);
  if (state.onlyMatches) params.set('only', 'matches');
  else if (state.onlyCritical) params.set('only', 'critical');
  if (state.colouring !== 'kind') params.set('color', state.colouring);
  if (state.frameRows !== 'auto') params.set('frame', state.frameRows);
  if (state.foldIdle !== 'auto') params.set('idle', state.foldIdle);
  if (state.tab) params.set('tab', state.tab);
  if (state.rawClocks) params.set('clocks', 'raw');
  writeViewOptions(params, state.options);
  const text = params.toString();
  return text && `?${text}`;
}

const CHOICES = ['auto', 'on', 'off'] as const;

function parseWindow(text: string | null): RunViewState['window'] {
  const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? '');
  if (!match) return null;
  const [fromMs, toMs] = [Number(match[1]), Number(match[2])];
  return toMs > fromMs ? { fromMs, toMs } : null;
}

function parseArea(params: URLSearchParams): RunViewState['area'] {
  const window = parseWindow(params.get('area'));
  const [first, last] = params.getAll('rows');
  return window && { ...window, rows: first && last ? [first, last] : null };
}

function formatWindow({ fromMs, toMs }: { fromMs: number; toMs: number }): string {
  return `${shortMs(fromMs)}-${shortMs(toMs)}`;
}

// Nanoseconds are the finest the viewport knows: six decimals of a millisecond say all of it.
function shortMs(ms: number): string {
  return String(Number(Math.max(0, ms).toFixed(6)));
}
