import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heights } from './heights';

const lists = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 });

test('offsets are sums of heights, also after changes, and places are found again', () => {
  fc.assert(
    fc.property(lists, fc.array(fc.tuple(fc.nat(59), fc.integer({ min: 1, max: 500 }))), fc.nat(20_000), (heights, changes, y) => {
      const held = new Heights(heights.length, (i) => heights[i]);
      for (const [i, height] of changes) {
        if (i >= heights.length) continue;
        heights[i] = height;
        held.set(i, height);
      }
      let sum = 0;
      heights.forEach((height, i) => {
        expect(held.offset(i)).toBe(sum);
        expect(held.at(sum)).toBe(i);
        expect(held.at(sum + height - 0.5)).toBe(i);
        sum += height;
      });
      expect(held.total).toBe(sum);
      expect(held.at(sum + y)).toBe(heights.length - 1);
    }),
  );
});

test('an empty list has no height', () => {
  const none = new Heights(0, () => 1);
  expect([none.total, none.at(0)]).toEqual([0, 0]);
});
