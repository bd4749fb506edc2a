/** Insights as charts: series over time, with the buckets in which nothing happened. */

import type { ChartData, ChartSeries } from './chart';
import { seriesColour } from './chartspec';
import { PERCENTILES, TOKEN_PARTS, successRate, type InsightBucket, type InsightsAnswer } from './insights';
import { isoToMs } from './time';

/** Beginnings of all buckets of an answer, also of those in which nothing happened. Unix ms. */
export function bucketStarts(answer: Pick<InsightsAnswer, 'since' | 'until' | 'bucket_ms'>): number[] {
  const [since, until, width] = [isoToMs(answer.since), isoToMs(answer.until), answer.bucket_ms];
  const starts: number[] = [];
  for (let at = Math.floor(since / width) * width; at < until; at += width) starts.push(at);
  return starts;
}

/** A bucket for each start; undefined where there is none. */
export function placed(starts: readonly number[], buckets: readonly InsightBucket[], widthMs: number): (InsightBucket | undefined)[] {
  const places = new Array<InsightBucket | undefined>(starts.length).fill(undefined);
  for (const bucket of buckets) {
    const place = Math.round((isoToMs(bucket.time) - starts[0]) / widthMs);
    if (place >= 0 && place < places.length) places[place] = bucket;
  }
  return places;
}

/** A chart over the answer's time. */
export function timeChart(answer: InsightsAnswer, kind: 'line' | 'bar', series: readonly ChartSeries[], more: Partial<ChartData> = {}): ChartData {
  const xs = bucketStarts(answer);
  return { kind, axis: 'time', xs, series, widthMs: answer.bucket_ms, from: xs[0], to: xs[xs.length - 1] + answer.bucket_ms, ...more };
}

/** Values of all buckets, of one figure. */
export function valuesOf(answer: InsightsAnswer, figure: (bucket: InsightBucket) => number | null | undefined, empty: 0 | null): (number | null)[] {
  const starts = bucketStarts(answer);
  return placed(starts, answer.series, answer.bucket_ms).map((bucket) => (bucket ? (figure(bucket) ?? empty) : empty));
}

export function tokenSeries(answer: InsightsAnswer): ChartSeries[] {
  return TOKEN_PARTS.map(({ field, label, colour, strength }) => ({
    label, colour, strength, values: valuesOf(answer, (bucket) => bucket[field], 0),
  })).filter((series) => series.values.some((value) => value));
}

export function percentileSeries(answer: InsightsAnswer): ChartSeries[] {
  return PERCENTILES.map(({ field, label, strength }) => ({
    label, strength, colour: 'accent', values: valuesOf(answer, (bucket) => bucket[field], null),
  }));
}

/** Runs by how they ended; red is only for those that did not succeed. */
export function outcomeSeries(answer: InsightsAnswer): ChartSeries[] {
  const of = (figure: (bucket: InsightBucket) => number) => valuesOf(answer, figure, 0);
  return [
    { label: 'succeeded', colour: 'ink-3', strength: 0.75, values: of((bucket) => bucket.succeeded) },
    { label: 'not succeeded', colour: 'error', values: of((bucket) => bucket.ended - bucket.succeeded) },
    { label: 'running', colour: 'accent', values: of((bucket) => bucket.count - bucket.ended) },
  ].filter((series) => series.values.some((value) => value));
}

/** The cost of the first groups and of all others together, on each other. */
export function costSeries(answer: InsightsAnswer): ChartSeries[] {
  const starts = bucketStarts(answer);
  const keys = [...new Set(answer.group_series.map((bucket) => bucket.key as string))];
  const order = answer.groups.map((group) => group.key).filter((key) => key !== null && keys.includes(key));
  const series: ChartSeries[] = order.map((key, i) => {
    const own = answer.group_series.filter((bucket) => bucket.key === key);
    const values = placed(starts, own, answer.bucket_ms).map((bucket) => bucket?.cost_usd ?? 0);
    return { label: key as string, colour: seriesColour(i), values };
  });
  const total = valuesOf(answer, (bucket) => bucket.cost_usd, 0);
  const others = total.map((value, i) => Math.max((value ?? 0) - series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0), 0));
  // Sums of doubles leave crumbs; a bar of crumbs would read as money.
  const known = total.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  if (others.reduce((sum, value) => sum + value, 0) > known * 1e-6) series.push({ label: 'others', colour: 'ink-3', values: others });
  return series.filter((one) => one.values.some((value) => value));
}

/** How often like errors came, all groups together, in the stretches of the answer. */
export function errorChart(answer: InsightsAnswer): ChartData {
  const [since, until] = [isoToMs(answer.since), isoToMs(answer.until)];
  const count = answer.errors[0]?.over_time.length ?? 0;
  const widthMs = count > 0 ? (until - since) / count : 0;
  const xs = Array.from({ length: count }, (_, i) => since + i * widthMs);
  const values = xs.map((_, i) => answer.errors.reduce((sum, group) => sum + group.over_time[i], 0));
  return { kind: 'bar', axis: 'time', xs, series: [{ label: 'errors', colour: 'error', values }], widthMs, from: since, to: until };
}

/** The search for the runs of one stretch of an error chart. */
export function errorQuery(from: number, widthMs: number, q: string): string {
  const time = (at: number) => new Date(at).toISOString();
  const span = `span(status:failed,lost started>="${time(from)}" started<"${time(from + widthMs)}")`;
  return q ? `${span} (${q})` : span;
}

/** The share that succeeded of what ended, for each bucket. */
export function rateSeries(answer: InsightsAnswer): ChartSeries[] {
  return [{ label: 'success rate', colour: 'accent', values: valuesOf(answer, successRate, null) }];
}
