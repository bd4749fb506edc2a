import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines, diffWords, foldEqual, matchItems } from './diff';

const items = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 14 });
const text = fc.array(fc.constantFrom('one', 'two', 'three', ''), { maxLength: 30 }).map((lines) => lines.join('\n'));

function longestCommon(a: string[], b: string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  a.forEach((one, i) => b.forEach((other, j) => (table[i + 1][j + 1] = one === other ? table[i][j] + 1 : Math.max(table[i][j + 1], table[i + 1][j]))));
  return table[a.length][b.length];
}

describe('matchItems', () => {
  test('finds a longest common subsequence', () => {
    fc.assert(
      fc.property(items, items, (a, b) => {
        const pairs = [...matchItems(a, b)].flatMap((other, i) => (other < 0 ? [] : [[i, other]]));
        expect(pairs.every(([i, j]) => a[i] === b[j])).toBe(true);
        expect(pairs.every(([, j], k) => k === 0 || pairs[k - 1][1] < j)).toBe(true);
        expect(pairs.length).toBe(longestCommon(a, b));
      }),
    );
  });

  test('long texts hold on to lines that occur once', () => {
    const a = Array.from({ length: 4000 }, (_, i) => (i % 3 === 0 ? 'same' : `line ${i}`));
    const b = [...a.slice(0, 100).map((line) => `${line}!`), ...a.slice(100, 3000), 'new', ...a.slice(3001).map((line) => `${line}?`)];
    const matches = matchItems(a, b);
    expect([...matches].filter((other) => other >= 0).length).toBeGreaterThanOrEqual(2899);
    expect([...matches].every((other, i) => other < 0 || a[i] === b[other])).toBe(true);
  });
});

describe('diffLines', () => {
  test('both texts can be read from the rows', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const rows = diffLines(a, b);
        expect(rows.flatMap((row) => row.a ?? []).join('\n')).toBe(a);
        expect(rows.flatMap((row) => row.b ?? []).join('\n')).toBe(b);
        expect(rows.every((row) => !row.equal || row.a === row.b)).toBe(true);
      }),
    );
  });

  test('a text is equal to itself, and what is missing has no lines', () => {
    expect(diffLines('x\ny', 'x\ny').every((row) => row.equal)).toBe(true);
    expect(diffLines(null, 'x\ny')).toEqual([{ a: null, b: 'x', equal: false }, { a: null, b: 'y', equal: false }]);
  });
});

test('words that changed are marked, unless lines share little', () => {
  const { a, b } = diffWords('the cat sat on it', 'the dog sat on it') ?? { a: [], b: [] };
  expect(a.filter((piece) => piece.changed)).toEqual([{ text: 'cat', changed: true }]);
  expect(b.map((piece) => piece.text).join('')).toBe('the dog sat on it');
  expect(diffWords('alpha beta', 'quite another line')).toBeNull();
});

test('stretches cover all rows once, folded ones are equal and keep their context', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (equal) => {
      const rows = equal.map((same) => ({ a: 'x', b: same ? 'x' : 'y', equal: same }));
      const stretches = foldEqual(rows);
      expect(stretches.flatMap(({ from, to }) => rows.slice(from, to)).length).toBe(rows.length);
      expect(stretches.every(({ from }, i) => from === (i === 0 ? 0 : stretches[i - 1].to))).toBe(true);
      for (const { from, to, folded } of stretches) {
        if (!folded) continue;
        expect(rows.slice(Math.max(0, from - 3), to + 3).every((row) => row.equal)).toBe(true);
      }
    }),
  );
});
