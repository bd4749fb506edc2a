import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFragment, encodeFragment } from './fragment';

describe('fragments', () => {
  it('restore any text', async () => {
    const texts = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed());
    await fc.assert(fc.asyncProperty(texts, async (text) => (await decodeFragment(await encodeFragment(text))) === text));
  });

  it('are nothing when damaged or absent', async () => {
    for (const bad of ['', '#other', '#q=%%%', '#q=AAAA']) expect(await decodeFragment(bad)).toBeNull();
  });
});
