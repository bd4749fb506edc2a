/** uPlot with our axes and bars: it places and scales, the colours are the style sheet's. */

import uPlot from 'uplot';
import { extentOf, stacked, timeStep, timeTickText, timeTicks, valueTicks, type ChartData } from '../../core/chart';
import { mixed } from '../../core/colour';

export interface PlotOptions {
  readonly width: number;
  readonly height: number;
  readonly tick: (value: number) => string;
  readonly xTick: (value: number) => string;
  readonly token: (name: string) => string;
  /** Called once places can be asked for. */
  readonly onready: (plot: uPlot) => void;
  readonly onhover: (left: number | null) => void;
  readonly onbrush: ((from: number, to: number) => void) | null;
}

const AXIS_GAP = 6;
const MARK_GAP_PX = 84;
const FONT_PX = 11;

export function createPlot(parent: HTMLElement, data: ChartData, options: PlotOptions): uPlot {
  const { token } = options;
  const font = `${FONT_PX}px ${token('font')}`;
  const { low, high } = extentOf(data);
  const ticks = valueTicks(low, high);
  const axis = { font, stroke: token('ink-3'), gap: AXIS_GAP, ticks: { show: false } };
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: {
        x: false, y: false, points: { show: false },
        drag: { x: options.onbrush !== null, y: false, setScale: false, dist: 4 },
      },
      scales: {
        x: { time: false, range: () => horizontalRange(data) },
        y: { range: () => [ticks[0], ticks[ticks.length - 1] || 1] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          grid: { show: false },
          splits: (plot) => horizontalTicks(data, plot.bbox.width / uPlot.pxRatio),
          values: (plot, splits) => horizontalTexts(data, splits, plot.bbox.width / uPlot.pxRatio, options.xTick),
        },
        {
          ...axis,
          size: (_plot, values) => Math.max(28, ...(values ?? []).map((text) => text.length * 6.2 + AXIS_GAP + 4)),
          grid: { stroke: token('line'), width: 1 },
          splits: () => ticks,
          values: (_plot, splits) => splits.map(options.tick),
        },
      ],
      series: [{}, ...seriesOf(data, token)],
      hooks: {
        ready: [options.onready],
        setCursor: [(plot) => options.onhover((plot.cursor.left ?? -1) >= 0 ? (plot.cursor.left as number) : null)],
        setSelect: [(plot) => brush(plot, options)],
      },
    },
    values(data),
    parent,
  );
}

/** The numbers as uPlot takes them; of stacks the heights that series reach. */
export function values(data: ChartData): uPlot.AlignedData {
  return [[...data.xs], ...(data.stacked ? stacked(data.series) : data.series.map((one) => [...one.values]))] as uPlot.AlignedData;
}

export function seriesColours(data: ChartData, token: (name: string) => string): string[] {
  return data.series.map((one) => mixed(token(one.colour), token('bg'), one.strength ?? 1));
}

function seriesOf(data: ChartData, token: (name: string) => string): uPlot.Series[] {
  const colours = seriesColours(data, token);
  return data.series.map((_, i) => {
    const colour = colours[i];
    if (data.kind === 'bar') return { fill: colour, paths: bars(data, i), points: { show: false } };
    if (data.kind === 'scatter') return { stroke: colour, paths: () => null, points: { show: true, size: 5, width: 0, fill: colour } };
    // A value between two empty buckets has no line to lie on, so it is drawn as a point; uPlot tells which those are.
    return { stroke: colour, width: 1.5, spanGaps: false, points: { show: data.xs.length === 1 ? true : lonely, size: 4, fill: colour } };
  });
}

function lonely(plot: uPlot, series: number): boolean {
  const drawn = plot.data[series];
  return drawn.length <= 60 || Array.from(drawn).some((value, i) => value != null && drawn[i - 1] == null && drawn[i + 1] == null);
}

/** Bars from where those below end, or side by side; at least a pixel high, so that little is not nothing. */
function bars(data: ChartData, place: number): uPlot.Series.PathBuilder {
  return (plot, series, first, last) => {
    const fill = new Path2D();
    const drawn = plot.data[series];
    const below = data.stacked && place > 0 ? plot.data[series - 1] : null;
    for (let i = first; i <= last; i++) {
      const value = drawn[i];
      const from = below?.[i] ?? 0;
      if (value == null || value === from) continue;
      const { left, width } = slot(plot, data, i, place);
      const [top, bottom] = [plot.valToPos(value, 'y', true), plot.valToPos(from, 'y', true)];
      const height = Math.max(Math.abs(bottom - top), uPlot.pxRatio);
      fill.rect(left, Math.min(bottom, top, Math.max(bottom, top) - height), width, height);
    }
    return { fill };
  };
}

/** Where a bar lies across, in pixels of the canvas. */
function slot(plot: uPlot, data: ChartData, i: number, place: number): { left: number; width: number } {
  const [from, to] = barExtent(data, i);
  const [left, right] = [plot.valToPos(from, 'x', true), plot.valToPos(to, 'x', true)];
  const gap = right - left > 4 * uPlot.pxRatio ? uPlot.pxRatio : 0;
  const side = data.stacked || data.series.length === 1 ? 1 : data.series.length;
  const width = Math.max((right - left - gap) / side, Math.min(1, right - left));
  return { left: left + (side > 1 ? place * width : 0), width };
}

/** What a bar stands for on the horizontal axis. */
export function barExtent(data: ChartData, i: number): [number, number] {
  const at = data.xs[i];
  if (data.widthMs !== undefined) return [at, at + data.widthMs];
  if (data.axis === 'category') return [at - 0.38, at + 0.38];
  const step = data.xs.length > 1 ? Math.min(...data.xs.slice(1).map((x, k) => x - data.xs[k])) : 1;
  return [at - step * 0.45, at + step * 0.45];
}

function horizontalRange(data: ChartData): [number, number] {
  if (data.xs.length === 0) return [data.from ?? 0, data.to ?? 1];
  if (data.axis === 'category') return [-0.6, data.xs.length - 0.4];
  const [first, last] = [data.from ?? data.xs[0], data.to ?? data.xs[data.xs.length - 1]];
  const pad = data.from === undefined ? (last - first) * 0.02 || 1 : 0;
  const bar = data.kind === 'bar' && data.widthMs === undefined ? (barExtent(data, 0)[1] - barExtent(data, 0)[0]) / 2 : 0;
  return [first - pad - bar, last + pad + bar];
}

function stepOf(data: ChartData, width: number): number {
  const [from, to] = horizontalRange(data);
  return timeStep(((to - from) * MARK_GAP_PX) / Math.max(width, 1));
}

function horizontalTicks(data: ChartData, width: number): number[] {
  const [from, to] = horizontalRange(data);
  if (data.axis === 'time') return timeTicks(from, to, stepOf(data, width));
  if (data.axis === 'number') return valueTicks(Math.min(from, to), to).filter((at) => at >= from && at <= to);
  const most = Math.max(1, Math.floor(width / MARK_GAP_PX));
  const each = Math.ceil(data.xs.length / most);
  return data.xs.filter((_, i) => i % each === 0);
}

function horizontalTexts(data: ChartData, splits: number[], width: number, xTick: (value: number) => string): string[] {
  if (data.axis === 'time') return splits.map((at) => timeTickText(at, stepOf(data, width)));
  const room = Math.floor((width / Math.max(splits.length, 1)) / 6.2);
  return splits.map((at) => {
    const text = xTick(at);
    return text.length > room ? `${text.slice(0, Math.max(room - 1, 1))}…` : text;
  });
}

function brush(plot: uPlot, { onbrush }: PlotOptions): void {
  const { left, width } = plot.select;
  if (!onbrush || width < 2) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onbrush(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
}
