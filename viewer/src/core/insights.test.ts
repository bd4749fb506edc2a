import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketStarts, costSeries, errorChart, outcomeSeries, timeChart, valuesOf } from './insightcharts';
import {
  BOARDS, BYS, changeText, formatShare, formatView, parseView, previousPeriod, type InsightBucket, type InsightsAnswer,
} from './insights';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 21, 14);
const iso = (ms: number) => new Date(ms).toISOString();

function bucket(minute: number, figures: Partial<InsightBucket>): InsightBucket {
  return { time: iso(START + minute * MINUTE), query: '', count: 1, ended: 1, succeeded: 1, ...figures };
}

function answer(more: Partial<InsightsAnswer>): InsightsAnswer {
  return {
    since: iso(START + 30_000), until: iso(START + 4 * MINUTE), by: 'agent', bucket_ms: MINUTE, query: '', totals: null, groups: [], series: [],
    group_series: [], errors: [], expensive: [], slowest: [], sql: {}, ...more,
  };
}

describe('the address of insights', () => {
  it('says what is shown, and nothing that is as always', () => {
    const view = fc.record({
      board: fc.constantFrom(...BOARDS), by: fc.constantFrom(...BYS), from: fc.constantFrom('now-24h', 'now-7d', '2026-11-21'),
      to: fc.constantFrom('now', '2026-11-22'), q: fc.string(),
    });
    fc.assert(
      fc.property(view, (one) => {
        const [path, search = ''] = formatView(one).split(/\?(.*)/s);
        expect(parseView(path.split('/')[1] ?? null, search)).toEqual(one);
      }),
    );
    expect(formatView(parseView(null, ''))).toBe('insights');
    expect(parseView('weather', '?by=colour')).toMatchObject({ board: 'overview', by: 'agent' });
  });
});

describe('comparison', () => {
  it.each([
    [110, 100, '+10 %'],
    [95, 100, '−5.0 %'],
    [100, 100, '±0 %'],
    [3, 0, 'new'],
    [0, 0, '±0 %'],
    [100, 1, '×100'],
    [null, 1, null],
  ])('of %s with %s reads %s', (now, before, text) => expect(changeText(now, before)).toBe(text));

  it('is with the stretch before, as long as this one', () => {
    expect(previousPeriod('2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z')).toEqual({ from: '2026-11-20T00:00:00.000Z', to: '2026-11-21T00:00:00Z' });
  });

  it('shares are never rounded to all or nothing', () => {
    expect([1, 0, 0.9999, 0.0001, 0.5, null].map(formatShare)).toEqual(['100 %', '0 %', '99.9 %', '0.1 %', '50.0 %', '–']);
  });
});

describe('charts of insights', () => {
  it('have buckets in which nothing happened', () => {
    const one = answer({ series: [bucket(1, { cost_usd: 2 }), bucket(3, { cost_usd: 1 })] });
    expect(bucketStarts(one).length).toBe(4);
    expect(valuesOf(one, (of) => of.cost_usd, 0)).toEqual([0, 2, 0, 1]);
    expect(valuesOf(one, (of) => of.p50_ms, null)).toEqual([null, null, null, null]);
    expect(timeChart(one, 'bar', [])).toMatchObject({ from: START, to: START + 4 * MINUTE, widthMs: MINUTE });
  });

  it('of cost add up to the whole, others included', () => {
    const one = answer({
      groups: [{ key: 'a', query: '', count: 1, ended: 1, succeeded: 1 }],
      series: [bucket(1, { cost_usd: 5 })],
      group_series: [bucket(1, { key: 'a', cost_usd: 3 })],
    });
    expect(costSeries(one).map((series) => [series.label, series.values[1]])).toEqual([['a', 3], ['others', 2]]);
    expect(costSeries(answer({ ...one, series: [bucket(1, { cost_usd: 3 + 1e-12 })] })).length).toBe(1);
  });

  it('of outcomes count every run once', () => {
    const one = answer({ series: [bucket(0, { count: 5, ended: 4, succeeded: 1 })] });
    expect(outcomeSeries(one).map((series) => series.values[0])).toEqual([1, 3, 1]);
  });

  it('of errors add up groups over the same stretches', () => {
    const group = { error_type: 'E', message: 'm', count: 3, run_count: 1, names: [], first_time: '', last_time: '', example: null, example_run_id: '', example_span_id: '', query: '' };
    const chart = errorChart(answer({ errors: [{ ...group, over_time: [1, 2] }, { ...group, over_time: [0, 4] }] }));
    expect(chart.series[0].values).toEqual([1, 6]);
    expect(chart.to).toBe(START + 4 * MINUTE);
  });
});
