import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldText } from './fold';

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`).join('\n');

describe('long texts', () => {
  it('are cut at whole lines', () => {
    expect(foldText(lines(340))).toEqual({ head: lines(16), size: '340 lines' });
  });

  it('are measured in characters when their lines are long', () => {
    expect(foldText('x'.repeat(5000))?.size).toBe('5,000 characters');
  });

  it('stay whole when folding would save next to nothing', () => {
    expect(foldText(lines(20))).toBeNull();
    expect(foldText('')).toBeNull();
  });

  it('begin with what is shown, never with half a character', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(40), fc.nat(6), (text, characters, most) => {
      const fold = foldText(text, most + 1, characters + 1);
      if (!fold) return;
      expect(text.startsWith(fold.head)).toBe(true);
      expect(fold.head.length).toBeLessThan(text.length);
      expect(fold.head.isWellFormed()).toBe(true);
    }));
  });
});
