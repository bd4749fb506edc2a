import { expect, it } from 'vitest';
import { barsSql, factsKind, factsSql, readFacts } from './columnfacts';

it('columns are asked what makes sense for their type', () => {
  expect(['BIGINT', 'DECIMAL(9,2)', 'TIMESTAMP_NS', 'VARCHAR', 'BOOLEAN', 'JSON', 'VARCHAR[]'].map(factsKind)).toEqual([
    'figures', 'figures', 'times', 'texts', 'texts', 'nested', 'nested',
  ]);
  expect(factsSql('runs', 'order', 'BIGINT')).toContain('median("order")');
  expect(factsSql('runs', 'tags', 'VARCHAR[]')).not.toContain('min(tags)');
  expect(barsSql('runs', 'tags', 'VARCHAR[]')).toBeNull();
  expect(barsSql('runs', 'name', 'VARCHAR')).toContain('LIMIT');
});

it('answers become facts, with bars for stretches in which nothing is', () => {
  const facts = readFacts('DOUBLE', [10, 2, 9, 0, 1, 4], [[0, 3], [15, 5]]);
  expect(facts).toMatchObject({ rows: 10, nulls: 2, distinct: 8, min: 0, max: 4 });
  expect(facts.bars.length).toBe(16);
  expect([facts.bars[0].count, facts.bars[7].count, facts.bars[15].count]).toEqual([3, 0, 5]);
  expect(readFacts('DOUBLE', [3, 0, 1, 5, 5, 5], [[null, 3]]).bars[0].count).toBe(3);
  expect(readFacts('VARCHAR', [3, 0, 2, null, null, null], [['a', 2]]).bars).toEqual([{ label: 'a', count: 2 }]);
});
