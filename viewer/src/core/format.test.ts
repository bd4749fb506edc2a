import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCost, formatCount, formatExactCost, formatTokens, plural, totalTokens } from './format';

describe('figures', () => {
  it.each([
    [0, '$0'],
    [0.000_01, '<$0.0001'],
    [0.0773, '$0.0773'],
    [0.5, '$0.5000'],
    [1.239, '$1.24'],
    [201.11, '$201.11'],
    [12_345.6, '$12,345.60'],
    [null, '–'],
    [NaN, '–'],
  ])('a cost of %s reads %s', (usd, text) => expect(formatCost(usd)).toBe(text));

  it.each([
    [950, '950'],
    [12_400, '12.4k'],
    [99_960, '100k'],
    [1_200_000, '1.20M'],
    [null, '–'],
  ])('%s tokens read %s', (count, text) => expect(formatTokens(count)).toBe(text));

  it('tells small costs apart where it matters', () => {
    expect([0.00004321, 0.000043217, 0.0123, 0.1, 0, 3, null].map(formatExactCost)).toEqual([
      '$0.00004321', '$0.00004322', '$0.0123', '$0.1000', '$0', '$3.00', '–',
    ]);
  });

  it('sizes and counts carry separators and units', () => {
    expect(formatBytes(812)).toBe('812 B');
    expect(formatBytes(3_100_000)).toBe('3.10 MB');
    expect(formatCount(100_000)).toBe('100,000');
    expect([plural(1, 'span'), plural(2, 'span')]).toEqual(['1 span', '2 spans']);
  });

  it('are separated as the browser separates them', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (count) => void expect(formatCount(count)).toBe(count.toLocaleString('en-US'))));
    const cents = fc.double({ min: 1, max: 1e12, noNaN: true }).map((usd) => Math.round(usd * 100) / 100);
    const browsers = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    fc.assert(fc.property(cents, (usd) => void expect(formatCost(usd)).toBe(`$${usd.toLocaleString('en-US', browsers)}`)));
  });

  it('tokens are unknown only when both sides are', () => {
    expect(totalTokens(null, 3)).toBe(3);
    expect(totalTokens(null, null)).toBeNull();
  });
});
