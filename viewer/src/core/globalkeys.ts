/** What a key means on every page, before the page itself sees it. */

import { chordOf, typesCharacter, type KeyPress } from './keymap';

export type GlobalKey =
  | { does: 'go'; path: string }
  | { does: 'help' | 'theme' | 'commands' | 'prefix' | 'nothing' }
  /** The page may have it. */
  | null;

/** How long the second key of "g r" may take, milliseconds. */
export const PREFIX_MS = 1500;

const GO: Readonly<Record<string, string>> = {
  r: 'runs', t: 'tasks', p: 'approvals', s: 'schedules', h: 'triggers', w: 'webhooks', a: 'agents', i: 'insights', q: 'sql',
  b: 'budgets', ',': 'settings',
};

/**
 * typing: the key belongs to a field. prefixed: "g" was pressed just now. shortcuts: keys that type characters are not
 * switched off. After "g" every key is taken, so that "g a" on a page where "a" means something goes to the agents.
 */
export function globalKey(press: KeyPress, typing: boolean, prefixed: boolean, shortcuts: boolean): GlobalKey {
  const chord = chordOf(press);
  if (chord === 'Ctrl K') return { does: 'commands' };
  if (typing || press.ctrlKey || press.metaKey || press.altKey) return null;
  if (!shortcuts && typesCharacter(press)) return { does: 'nothing' };
  if (prefixed && Object.hasOwn(GO, press.key)) return { does: 'go', path: GO[press.key] };
  if (chord === 'g') return { does: 'prefix' };
  if (chord === '?') return { does: 'help' };
  if (chord === 'Shift D') return { does: 'theme' };
  return prefixed && typesCharacter(press) ? { does: 'nothing' } : null;
}
