/** What the address of the flame page carries. */

import type { DeltaUnit } from './delta';
import { FLAME_GROUPS, FLAME_METRICS, runsWith, type FlameMetric, type FlameQuestion, type FlameSort, type Window } from './flame';

/** Which runs a picture is compared with. */
export interface FlameBase {
  q: string;
  from: string;
  to: string;
}

export interface FlameView extends FlameQuestion {
  /** What was before: then the picture shows what has changed. */
  base: FlameBase | null;
  /** Names from the top to the node that is the whole picture. */
  focus: string[];
  /** Names from the top of the picture to the selected node. */
  node: string[];
  /** The name, agent or model whose callers and callees are shown. */
  key: string | null;
  find: string;
  window: Window | null;
  sort: FlameSort;
  /** The picture as a table. */
  table: boolean;
}

export const DEFAULT_RUNS = 1_000;
const SORTS: readonly FlameSort[] = ['own', 'total', 'count', 'name'];

export function parseFlameView(search: string): FlameView {
  const params = new URLSearchParams(search);
  const oneOf = <T extends string>(name: string, allowed: readonly T[]): T => allowed.find((value) => value === params.get(name)) ?? allowed[0];
  const runs = Number(params.get('runs'));
  const [from, to] = (params.get('x') ?? '').split('..').map(Number);
  return {
    q: params.get('q') ?? '',
    from: params.get('from') ?? '',
    to: params.get('to') ?? '',
    metric: oneOf('metric', FLAME_METRICS),
    by: oneOf('by', FLAME_GROUPS),
    runs: Number.isInteger(runs) && runs > 0 ? runs : DEFAULT_RUNS,
    focus: params.getAll('focus'),
    node: params.getAll('node'),
    base: params.has('base_q') ? { q: params.get('base_q') ?? '', from: params.get('base_from') ?? '', to: params.get('base_to') ?? '' } : null,
    key: params.get('key') || null,
    find: params.get('find') ?? '',
    window: from >= 0 && to <= 1 && to > from ? { from, to } : null,
    sort: oneOf('sort', SORTS),
    table: params.get('view') === 'table',
  };
}

export function formatFlameView(view: FlameView): string {
  const params = new URLSearchParams();
  for (const name of ['q', 'from', 'to'] as const) if (view[name]) params.set(name, view[name]);
  if (view.base) params.set('base_q', view.base.q);
  if (view.base?.from) params.set('base_from', view.base.from);
  if (view.base?.to) params.set('base_to', view.base.to);
  if (view.metric !== 'time') params.set('metric', view.metric);
  if (view.by !== 'name') params.set('by', view.by);
  if (view.runs !== DEFAULT_RUNS) params.set('runs', String(view.runs));
  for (const name of view.focus) params.append('focus', name);
  for (const name of view.node) params.append('node', name);
  if (view.key) params.set('key', view.key);
  if (view.find) params.set('find', view.find);
  if (view.window) params.set('x', `${Number(view.window.from.toFixed(7))}..${Number(view.window.to.toFixed(7))}`);
  if (view.sort !== 'own') params.set('sort', view.sort);
  if (view.table) params.set('view', 'table');
  const text = params.toString();
  return text && `?${text}`;
}

/** The flame of one run beside that of another, which was before. */
export function flameOfTwo(before: string, after: string): string {
  return `flame?${new URLSearchParams({ q: `run:${after}`, base_q: `run:${before}` })}`;
}

/** Where the runs of a picture are that have a span of a name, agent or model. */
export function runsPath({ q, by, from, to }: FlameView, key: string): string {
  const params = new URLSearchParams({ q: runsWith(q, by, key) });
  if (from) params.set('from', from);
  if (to) params.set('to', to);
  return `runs?${params}`;
}

/** How figures of a metric are written. */
export function metricUnit(metric: FlameMetric): DeltaUnit {
  if (metric === 'time' || metric === 'self') return 'time';
  return metric === 'cost' ? 'cost' : 'count';
}

/** "32 %", "0.4 %", "<0.1 %": a part of the whole. */
export function shareOf(value: number, total: number): string {
  if (!(total > 0)) return '';
  const percent = (value / total) * 100;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  return `${percent >= 9.95 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}
