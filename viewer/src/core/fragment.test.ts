import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFragment, encodeFragment, fragmentPart } from './fragment';

describe('fragments', () => {
  it('restore any text', async () => {
    const texts = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed());
    await fc.assert(fc.asyncProperty(texts, async (text) => (await decodeFragment(await encodeFragment(text))) === text));
  });

  it('keep what stands beside the text', async () => {
    const fragment = await encodeFragment('select 1', { chart: 'line(a b;c&d;)', limit: '100' });
    expect(await decodeFragment(fragment)).toBe('select 1');
    expect([fragmentPart(fragment, 'chart'), fragmentPart(fragment, 'limit'), fragmentPart(fragment, 'x')]).toEqual(['line(a b;c&d;)', '100', null]);
  });

  it('are nothing when damaged or absent', async () => {
    for (const bad of ['', '#other', '#q=%%%', '#q=AAAA']) expect(await decodeFragment(bad)).toBeNull();
  });
});
