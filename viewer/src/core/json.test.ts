import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJson, oneLine, openLevels, parseJson, pathInto, preview } from './json';

describe('JSON', () => {
  it('keeps integers beyond 2^53', () => {
    expect(parseJson('{"id": 12345678901234567890, "x": 1.5e300}')).toEqual({ id: 12345678901234567890n, x: 1.5e300 });
    expect(formatJson({ id: 12345678901234567890n })).toBe('{\n  "id": 12345678901234567890\n}');
  });

  it('survives a round trip', () => {
    fc.assert(fc.property(fc.json(), (text) => void expect(parseJson(formatJson(parseJson(text)))).toEqual(parseJson(text))));
  });

  it('starts open when small, closed below two levels when large', () => {
    expect(openLevels({ a: [{ b: { c: 1 } }] })).toBe(Infinity);
    expect(openLevels(Array.from({ length: 100 }, (_, i) => i))).toBe(2);
  });

  it('fits on one line, as far as it goes', () => {
    expect(oneLine({ city: 'Paris', days: [1, 2] })).toBe('city: "Paris", days: [ 1, 2 ]');
    expect(oneLine(null)).toBe('null');
    expect(oneLine('a\n  b')).toBe('a b');
    expect(oneLine({ text: 'x'.repeat(500) }, 20)).toHaveLength(20);
  });

  it('names its parts by paths', () => {
    expect(pathInto(pathInto('$', {}, 'files'), [], '0')).toBe('$.files[0]');
    expect(pathInto('$', {}, 'page "2"')).toBe('$["page \\"2\\""]');
    expect(pathInto('$', {}, '0')).toBe('$["0"]');
    expect(pathInto('$', {}, 'naïve_1')).toBe('$.naïve_1');
  });

  it('has one-line previews', () => {
    expect(preview([1, 2])).toBe('[2 items]');
    expect(preview({ file: 1, pages: 2 })).toBe('{file, pages}');
    expect(preview('x'.repeat(200)).length).toBe(72);
  });
});
