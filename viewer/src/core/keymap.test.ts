import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionsOf, chordOf, groupsOn, KEYMAP, type Page, pressesOf, strokes, typesCharacter } from './keymap';

const PAGES: Page[] = [
  'runs', 'run', 'compare', 'flame', 'insights', 'sql', 'settings', 'tasks', 'task', 'schedules', 'schedule', 'agents', 'triggers', 'trigger', 'webhooks',
  'webhook', 'budgets', 'approvals', 'missing',
];

/** Keys of a page by the part of it that they hold in. */
function chordsOn(page: Page, within: string | undefined): string[] {
  const groups = groupsOn(page).filter((group) => group.within === within);
  return groups.flatMap(actionsOf).flatMap((action) => action.chords);
}

describe('the key map', () => {
  it.each(PAGES)('has one action for a key on the page %s', (page) => {
    for (const within of new Set(groupsOn(page).map((group) => group.within))) {
      const chords = chordsOn(page, within);
      expect(chords.filter((chord, i) => chords.indexOf(chord) !== i)).toEqual([]);
    }
  });

  it.each(PAGES)('has no key on the page %s that begins another one', (page) => {
    const chords = chordsOn(page, undefined);
    const first = chords.map(strokes).filter((all) => all.length > 1).map(([stroke]) => stroke.join(' '));
    expect(chords.filter((chord) => first.includes(chord))).toEqual([]);
  });

  it('has a text for every key', () => {
    for (const { keys, does } of KEYMAP.flatMap((group) => group.keys)) {
      if (typeof does !== 'string') expect(does).toHaveLength(keys.length);
      for (const text of [does].flat()) expect(text).not.toBe('');
    }
  });

  it('writes each of its keys as the browser reports it', () => {
    for (const chord of KEYMAP.flatMap((group) => group.keys).flatMap((line) => line.keys)) {
      const presses = pressesOf(chord);
      if (!/wheel|click|drag/.test(chord)) expect(presses.map(chordOf).join(' ')).toBe(chord);
      else expect(presses).toEqual([]);
    }
  });
});

describe('chords', () => {
  const press = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

  it('name keys as the table does', () => {
    expect(chordOf({ ...press, key: 'D', shiftKey: true })).toBe('Shift D');
    expect(chordOf({ ...press, key: '?', shiftKey: true })).toBe('?');
    expect(chordOf({ ...press, key: 'k', metaKey: true })).toBe('Ctrl K');
    expect(chordOf({ ...press, key: 'ArrowLeft', shiftKey: true })).toBe('Shift ←');
    expect(strokes('g r')).toEqual([['g'], ['r']]);
    expect(strokes('Shift D')).toEqual([['Shift', 'D']]);
  });

  it('are pressed as they were reported', () => {
    const key = fc.constantFrom('a', 'z', '0', 'Enter', 'ArrowUp', ' ', 'Escape', 'PageDown', '[', ',');
    fc.assert(
      fc.property(key, fc.boolean(), (name, ctrlKey) => {
        expect(pressesOf(chordOf({ ...press, key: name, ctrlKey }))[0]).toEqual({ ...press, key: name, ctrlKey });
      }),
    );
  });

  it('tell what types a character', () => {
    expect(typesCharacter({ ...press, key: 'j' })).toBe(true);
    for (const key of ['Enter', 'ArrowDown', ' ', 'Escape']) expect(typesCharacter({ ...press, key })).toBe(false);
    expect(typesCharacter({ ...press, key: 'k', ctrlKey: true })).toBe(false);
  });
});
