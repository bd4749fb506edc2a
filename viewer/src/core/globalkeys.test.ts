import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globalKey } from './globalkeys';
import { groupsOn, pressesOf, typesCharacter } from './keymap';

const press = (key: string, shiftKey = false) => ({ key, shiftKey, ctrlKey: false, metaKey: false, altKey: false });
const anyPress = fc.record({
  key: fc.constantFrom('g', 'r', 'a', 'D', '?', 'Enter', ' ', 'ArrowUp', 'k'),
  shiftKey: fc.boolean(), ctrlKey: fc.boolean(), metaKey: fc.boolean(), altKey: fc.boolean(),
});

describe('keys of every page', () => {
  it('are those of the key map', () => {
    const [everywhere] = groupsOn('missing');
    for (const chord of everywhere.keys.flatMap((line) => line.keys)) {
      const presses = pressesOf(chord);
      const meaning = globalKey(presses[presses.length - 1], false, presses.length > 1, true);
      expect(meaning === null, chord).toBe(chord === '/' || chord === 'Esc'); // these two are the page's own
    }
  });

  it('go where the second key says, whatever the page does with it', () => {
    expect(globalKey(press('g'), false, false, true)).toEqual({ does: 'prefix' });
    expect(globalKey(press('a'), false, true, true)).toEqual({ does: 'go', path: 'agents' });
    expect(globalKey(press('x'), false, true, true)).toEqual({ does: 'nothing' });
    expect(globalKey(press('a'), false, false, true)).toBeNull();
  });

  it('leave fields alone but for the command menu', () => {
    fc.assert(
      fc.property(anyPress, fc.boolean(), fc.boolean(), (key, prefixed, shortcuts) => {
        const meaning = globalKey(key, true, prefixed, shortcuts);
        expect(meaning === null || meaning.does === 'commands').toBe(true);
      }),
    );
  });

  it('do nothing when they type characters and are switched off', () => {
    fc.assert(
      fc.property(anyPress.filter(typesCharacter), fc.boolean(), (key, prefixed) => {
        expect(globalKey(key, false, prefixed, false)).toEqual({ does: 'nothing' });
      }),
    );
  });
});
