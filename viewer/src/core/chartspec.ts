/** Which columns of a result are drawn how: guessed, kept in the address, and turned into a chart. */

import type { AxisKind, ChartData, ChartKind, ChartSeries } from './chart';
import { exactText, figureOf, isFigure, type GridColumn, type GridData } from './grid';

export type SpecKind = ChartKind | 'heat';

export interface ChartSpec {
  readonly kind: SpecKind;
  /** Names of columns. Of a heat map y is the vertical axis and `by` the value, else `by` parts rows into series. */
  readonly x: string;
  readonly y: readonly string[];
  readonly by: string | null;
}

export interface HeatData {
  readonly xs: readonly string[];
  readonly ys: readonly string[];
  /** By row, then by column. */
  readonly cells: readonly (readonly (number | null)[])[];
  readonly most: number;
}

export const SPEC_KINDS: readonly SpecKind[] = ['line', 'bar', 'scatter', 'heat'];
export const MAX_SERIES = 12;
export const MAX_POINTS = 20_000;
export const MAX_BARS = 400;
const MAX_HEAT = 200;
const COLOURS = ['accent', 'kind-llm', 'kind-tool', 'kind-exec', 'kind-retrieval', 'kind-human', 'kind-check', 'kind-io'];

export function seriesColour(place: number): string {
  return COLOURS[place % COLOURS.length];
}

/** What a result most likely wants to show; null when it has no figures. */
export function guessSpec(data: GridData): ChartSpec | null {
  const figures = data.columns.filter((column) => isFigure(column.kind));
  if (figures.length === 0) return null;
  const others = data.columns.filter((column) => !isFigure(column.kind) && column.kind !== 'nested');
  const time = others.find((column) => column.kind === 'time' || column.kind === 'date');
  const x = time ?? others[0] ?? (figures.length > 1 ? figures[0] : null);
  const kind = time ? 'line' : others.length > 0 ? 'bar' : figures.length > 1 ? 'scatter' : 'bar';
  const y = (figures.find((column) => column !== x) ?? figures[0]).name;
  const by = time ? (others.find((column) => column !== time)?.name ?? null) : null;
  return { kind, x: x?.name ?? '', y: [y], by };
}

/** For the address: "line(day;cost_usd,runs;model)". */
export function formatSpec(spec: ChartSpec): string {
  const name = encodeURIComponent;
  return `${spec.kind}(${name(spec.x)};${spec.y.map(name).join(',')};${spec.by === null ? '' : name(spec.by)})`;
}

export function parseSpec(text: string): ChartSpec | null {
  const [, kind, x, y, by] = /^(\w+)\(([^;]*);([^;]*);([^;]*)\)$/.exec(text) ?? [];
  if (!SPEC_KINDS.includes(kind as SpecKind)) return null;
  try {
    const names = y.split(',').filter(Boolean).map(decodeURIComponent);
    return { kind: kind as SpecKind, x: decodeURIComponent(x), y: names, by: by ? decodeURIComponent(by) : null };
  } catch {
    return null; // a stray % in a link that was changed by hand
  }
}

/** What of the spec the result has; a column that is gone is left out. */
export function fitted(spec: ChartSpec, data: GridData): ChartSpec | null {
  const has = (name: string) => data.columns.some((column) => column.name === name);
  const y = spec.y.filter(has);
  if (y.length === 0 || (spec.x !== '' && !has(spec.x))) return null;
  return { ...spec, y, by: spec.by !== null && has(spec.by) ? spec.by : null };
}

export interface Built {
  readonly chart: ChartData;
  /** What is not shown, in words; empty when everything is. */
  readonly notes: readonly string[];
}

/** The chart of a line, bar or scatter spec. */
export function buildChart(spec: ChartSpec, data: GridData): Built {
  const x = columnOf(data, spec.x);
  const notes: string[] = [];
  const most = spec.kind === 'bar' ? MAX_BARS : MAX_POINTS;
  const { axis, xs, categories, placeOf } = horizontal(x, data, spec.kind);
  const kept = Math.min(xs.length, most);
  if (kept < xs.length) notes.push(`the first ${kept.toLocaleString('en-US')} of ${xs.length.toLocaleString('en-US')} values`);
  const series = spec.by === null ? plainSeries(spec, data, placeOf, kept) : partedSeries(spec, data, placeOf, kept, notes);
  const chart: ChartData = {
    kind: spec.kind === 'heat' ? 'bar' : spec.kind,
    axis,
    xs: xs.slice(0, kept),
    categories: categories?.slice(0, kept),
    series,
    stacked: spec.kind === 'bar' && series.length > 1 && series.every((one) => one.values.every((value) => (value ?? 0) >= 0)),
  };
  return { chart, notes };
}

function columnOf(data: GridData, name: string): GridColumn | null {
  return data.columns.find((column) => column.name === name) ?? null;
}

interface Horizontal {
  readonly axis: AxisKind;
  readonly xs: number[];
  readonly categories?: string[];
  readonly placeOf: (row: number) => number;
}

/** Distinct values of the horizontal axis in order, and for each row the place of its value. */
function horizontal(x: GridColumn | null, data: GridData, kind: SpecKind): Horizontal {
  if (x === null) return categorical(data, (row) => String(row + 1));
  const timed = x.kind === 'time' || x.kind === 'date';
  if (!timed && (kind === 'bar' || !isFigure(x.kind))) return categorical(data, (row) => label(x, row));
  const value = timed ? (row: number) => timeOf(x.at(row)) : (row: number) => figureOf(x.at(row));
  if (kind === 'scatter') return scattered(data, timed ? 'time' : 'number', value);
  const distinct = new Set<number>();
  for (let row = 0; row < data.rowCount; row++) {
    const at = value(row);
    if (at !== null) distinct.add(at);
  }
  const xs = [...distinct].sort((a, b) => a - b);
  const places = new Map(xs.map((at, i) => [at, i]));
  return { axis: timed ? 'time' : 'number', xs, placeOf: (row) => places.get(value(row) ?? NaN) ?? -1 };
}

/** Of a scatter each row is a point of its own. */
function scattered(data: GridData, axis: AxisKind, value: (row: number) => number | null): Horizontal {
  const rows = Array.from({ length: data.rowCount }, (_, row) => row).filter((row) => value(row) !== null);
  rows.sort((a, b) => (value(a) as number) - (value(b) as number));
  const places = new Map(rows.map((row, i) => [row, i]));
  return { axis, xs: rows.map((row) => value(row) as number), placeOf: (row) => places.get(row) ?? -1 };
}

function categorical(data: GridData, text: (row: number) => string): Horizontal {
  const places = new Map<string, number>();
  for (let row = 0; row < data.rowCount; row++) {
    const one = text(row);
    if (!places.has(one)) places.set(one, places.size);
  }
  const categories = [...places.keys()];
  return { axis: 'category', xs: categories.map((_, i) => i), categories, placeOf: (row) => places.get(text(row)) ?? -1 };
}

function label(column: GridColumn, row: number): string {
  const value = column.at(row);
  return value === null || value === undefined ? 'null' : exactText(column, value);
}

/** Unix milliseconds of a time (nanoseconds) or a date (text). */
function timeOf(value: unknown): number | null {
  if (typeof value === 'bigint') return Number(value / 1_000_000n);
  const parsed = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(parsed) ? parsed : null;
}

function plainSeries(spec: ChartSpec, data: GridData, placeOf: (row: number) => number, count: number): ChartSeries[] {
  return spec.y.slice(0, MAX_SERIES).map((name, i) => {
    const column = columnOf(data, name) as GridColumn;
    const values = new Array<number | null>(count).fill(null);
    for (let row = 0; row < data.rowCount; row++) add(values, placeOf(row), figureOf(column.at(row)), spec.kind);
    return { label: name, values, colour: seriesColour(i) };
  });
}

/** Series for each value of the column that parts them, those with the largest sums. */
function partedSeries(spec: ChartSpec, data: GridData, placeOf: (row: number) => number, count: number, notes: string[]): ChartSeries[] {
  const [by, column] = [columnOf(data, spec.by as string) as GridColumn, columnOf(data, spec.y[0]) as GridColumn];
  const found = new Map<string, { values: (number | null)[]; sum: number }>();
  for (let row = 0; row < data.rowCount; row++) {
    const key = label(by, row);
    const one = found.get(key) ?? { values: new Array<number | null>(count).fill(null), sum: 0 };
    found.set(key, one);
    const figure = figureOf(column.at(row));
    one.sum += Math.abs(figure ?? 0);
    add(one.values, placeOf(row), figure, spec.kind);
  }
  const largest = [...found].sort(([, a], [, b]) => b.sum - a.sum);
  if (largest.length > MAX_SERIES) notes.push(`the largest ${MAX_SERIES} of ${largest.length} values of ${by.name}`);
  return largest.slice(0, MAX_SERIES).map(([name, { values }], i) => ({ label: name, values, colour: seriesColour(i) }));
}

/** Rows that fall on the same place add up, points of a scatter stand for themselves. */
function add(values: (number | null)[], place: number, figure: number | null, kind: SpecKind): void {
  if (place < 0 || place >= values.length || figure === null) return;
  values[place] = kind === 'scatter' ? figure : (values[place] ?? 0) + figure;
}

/** The cells of a heat map: x and the first y are its axes, `by` (or the number of rows) the value. */
export function buildHeat(spec: ChartSpec, data: GridData): HeatData {
  const [x, y] = [columnOf(data, spec.x), columnOf(data, spec.y[0])];
  const value = spec.by === null ? null : columnOf(data, spec.by);
  const across = categorical(data, (row) => (x ? label(x, row) : ''));
  const down = categorical(data, (row) => (y ? label(y, row) : ''));
  const [width, height] = [Math.min(across.xs.length, MAX_HEAT), Math.min(down.xs.length, MAX_HEAT)];
  const cells = Array.from({ length: height }, () => new Array<number | null>(width).fill(null));
  let most = 0;
  for (let row = 0; row < data.rowCount; row++) {
    const [i, j] = [down.placeOf(row), across.placeOf(row)];
    if (i >= height || j >= width) continue;
    cells[i][j] = (cells[i][j] ?? 0) + (value ? (figureOf(value.at(row)) ?? 0) : 1);
    most = Math.max(most, cells[i][j] ?? 0);
  }
  return { xs: (across.categories ?? []).slice(0, width), ys: (down.categories ?? []).slice(0, height), cells, most };
}
