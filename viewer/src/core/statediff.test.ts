import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateDiff } from './statediff';

const values = fc.jsonValue({ maxDepth: 3 });

test('equal states differ in nothing, others in something', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(stateDiff(a, structuredClone(a)).count).toBe(0);
      const same = JSON.stringify(a) === JSON.stringify(b);
      if (!same && JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b))) expect(stateDiff(a, b).count).toBeGreaterThan(0);
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : value;
  return Object.entries(value).map(([key, item]) => [key, sorted(item)]).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

test('changes name their place', () => {
  const before = { step: 2, pages: [{ title: 'a' }, { title: 'b' }], gone: true };
  const after = { step: 3, pages: [{ title: 'a' }, { title: 'c' }, { title: 'd' }], note: 'x' };
  expect(stateDiff(before, after)).toEqual({
    count: 5,
    changes: [
      { path: 'step', type: 'changed', before: 2, after: 3 },
      { path: 'pages[1].title', type: 'changed', before: 'b', after: 'c' },
      { path: 'pages[2]', type: 'added', after: { title: 'd' } },
      { path: 'note', type: 'added', after: 'x' },
      { path: 'gone', type: 'removed', before: true },
    ],
  });
  expect(stateDiff([1, 2, 3], [], 1)).toMatchObject({ count: 3, changes: [{ path: '[0]' }] });
  expect(stateDiff(1, { a: 1 }).changes).toEqual([{ path: '', type: 'changed', before: 1, after: { a: 1 } }]);
});
