/** What the address of the comparison page carries: which runs, what is selected, and how time is shown. */

import type { Alignment } from './comparetime';

export const HISTORY_LENGTHS = [10, 20, 50, 100] as const;

export interface CompareView {
  a: string | null;
  b: string | null;
  /** One run beside the last ones of its name. */
  run: string | null;
  last: number;
  span: string | null;
  align: Alignment;
  onlyDifferences: boolean;
  /** The window of time follows the rows on screen; null: as fits. */
  frame: boolean | null;
  /** Milliseconds on the common axis. */
  window: { fromMs: number; toMs: number } | null;
  /** Of a history: rows as they ran, or the most unusual first. */
  sort: HistorySort;
  onlyUnusual: boolean;
}

export const HISTORY_SORTS = ['order', 'time', 'cost'] as const;
export type HistorySort = (typeof HISTORY_SORTS)[number];

export function parseCompareView(search: string): CompareView {
  const params = new URLSearchParams(search);
  const last = Number(params.get('last'));
  const frame = params.get('frame');
  return {
    a: params.get('a') || null,
    b: params.get('b') || null,
    run: params.get('run') || null,
    last: Number.isInteger(last) && last > 0 ? last : 20,
    span: params.get('span') || null,
    align: params.get('align') === 'path' ? 'path' : 'start',
    onlyDifferences: params.get('only') === 'differences',
    frame: frame === 'on' ? true : frame === 'off' ? false : null,
    window: parseWindow(params.get('t')),
    sort: HISTORY_SORTS.find((sort) => sort === params.get('sort')) ?? 'order',
    onlyUnusual: params.get('only') === 'unusual',
  };
}

export function formatCompareView(view: CompareView): string {
  const params = new URLSearchParams();
  for (const name of ['a', 'b', 'run', 'span'] as const) if (view[name]) params.set(name, view[name]);
  if (view.run) params.set('last', String(view.last));
  if (view.align !== 'start') params.set('align', view.align);
  if (view.onlyDifferences) params.set('only', 'differences');
  else if (view.onlyUnusual) params.set('only', 'unusual');
  if (view.frame !== null) params.set('frame', view.frame ? 'on' : 'off');
  if (view.window) params.set('t', `${Number(view.window.fromMs.toFixed(6))}..${Number(view.window.toMs.toFixed(6))}`);
  if (view.sort !== 'order') params.set('sort', view.sort);
  const text = params.toString();
  return text && `?${text}`;
}

/** "-12.5..900": not with a dash, because a's spans may lie before b's start. */
function parseWindow(text: string | null): CompareView['window'] {
  const [fromMs, toMs] = (text ?? '').split('..').map(Number);
  return toMs > fromMs ? { fromMs, toMs } : null;
}

/** The address of a comparison of two runs. */
export function comparePath(a: string, b: string): string {
  return `compare?${new URLSearchParams({ a, b })}`;
}

/** The address of a run beside the last ones of its name. */
export function historyPath(run: string, last = 20): string {
  return `compare?${new URLSearchParams({ run, last: String(last) })}`;
}
