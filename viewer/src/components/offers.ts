/** What the command menu offers beside what it finds: the page's own commands, its keys, the pages, the settings. */

import { actionsOf, groupsOn, pressesOf, type KeyAction, type Page } from '../core/keymap';
import { commands } from '../state/commands.svelte';
import { settings, DENSITIES, THEMES } from '../state/settings.svelte';
import { router } from '../state/router.svelte';

export interface Offer {
  readonly group: string;
  readonly id: string;
  readonly title: string;
  readonly words?: string;
  readonly keys?: string;
  readonly hint?: string;
  readonly status?: string | null;
  readonly run: () => void;
}

const PAGES: readonly [path: string, title: string, keys?: string, words?: string][] = [
  ['runs', 'Runs', 'g r'],
  ['tasks', 'Tasks', 'g t'],
  ['schedules', 'Schedules', 'g s', 'cron'],
  ['agents', 'Agents', 'g a', 'workers limits'],
  ['insights', 'Insights', 'g i', 'cost tokens latency errors'],
  ['flame', 'Flame graph', undefined, 'profile'],
  ['sql', 'SQL', 'g q', 'query'],
  ['settings', 'Settings', 'g ,', 'preferences'],
];
const OWN_KEYS = ['Ctrl K', '?', 'Esc', 'Shift D']; // offered by other lines, or meaningless from here

/** origin: where the reader was when the menu opened; keys are pressed there. */
export function pageCommands(page: Page, origin: HTMLElement, onhelp: () => void): Offer[] {
  const registered = commands.groups.flatMap(({ owner, commands: own }) =>
    own.map((command) => ({ ...command, group: owner, id: `${owner}/${command.id}` })),
  );
  const taken = new Set([...OWN_KEYS, ...registered.map((command) => command.keys)]);
  return [...registered, ...keyOffers(page, taken, origin), ...pageOffers(), ...settingOffers(onhelp)];
}

function keyOffers(page: Page, taken: ReadonlySet<string | undefined>, origin: HTMLElement): Offer[] {
  const groups = groupsOn(page).filter((group) => group.within === undefined);
  return groups.flatMap(actionsOf).filter((action) => isOffered(action, taken)).map((action) => {
    const [keys] = action.chords;
    return { group: action.group, id: `key/${keys}`, title: capital(action.title), keys, run: () => press(keys, origin) };
  });
}

function isOffered({ chords }: KeyAction, taken: ReadonlySet<string | undefined>): boolean {
  const goesToPage = chords[0].startsWith('g ');
  return !goesToPage && pressesOf(chords[0]).length > 0 && !chords.some((chord) => taken.has(chord));
}

/** Presses keys for the reader: whatever they do, they do here as well. */
function press(chord: string, origin: HTMLElement): void {
  const target = origin.isConnected ? origin : document.body;
  for (const stroke of pressesOf(chord)) target.dispatchEvent(new KeyboardEvent('keydown', { ...stroke, bubbles: true, cancelable: true }));
}

function pageOffers(): Offer[] {
  return PAGES.map(([path, title, keys, words]) => ({
    group: 'Pages', id: `page/${path}`, title, keys, words, run: () => router.go(path),
  }));
}

function settingOffers(onhelp: () => void): Offer[] {
  const theme = THEMES.map((name) => offer(`Theme: ${name}`, () => settings.setTheme(name), 'dark light colours'));
  const density = DENSITIES.map((name) => offer(`Row height: ${name}`, () => settings.setDensity(name), 'density'));
  const zone = settings.timeZone === 'UTC' ? null : 'UTC';
  return [
    ...theme,
    ...density,
    offer(`Times in ${zone ?? "the browser's zone"}`, () => void settings.setTimeZone(zone), 'time zone utc local'),
    offer(`Single-key shortcuts ${settings.shortcuts ? 'off' : 'on'}`, () => settings.setShortcuts(!settings.shortcuts), 'keys keyboard'),
    offer(`Messages as ${settings.markdown ? 'plain' : 'formatted'} text`, () => settings.setMarkdown(!settings.markdown), 'markdown'),
    { ...offer('Keys and marks', onhelp, 'help shortcuts'), keys: '?' },
  ];
}

function offer(title: string, run: () => void, words: string): Offer {
  return { group: 'Settings', id: `setting/${title}`, title, words, run };
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);
