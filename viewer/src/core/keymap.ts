/**
 * Every key the viewer answers to: the help sheet, the command menu and the test that no two actions of a page share a
 * key read this one table.
 *
 * A chord is written as on the keyboard: "w", "Shift D" (letters with Shift as capitals), "?" (no Shift for what needs
 * it anyway), "Ctrl K" (also Cmd), "↓", "Esc", "Space"; "g r" is one key after the other. What a mouse does ends in
 * wheel, click or drag.
 */

import type { Route } from './route';

export type Page = Route['page'];

/** does: one text when the keys do the same; a text for each key when they do not. */
export interface KeyHelp {
  readonly keys: readonly string[];
  readonly does: string | readonly string[];
}

/** pages: where it holds; everywhere when absent. within: only while the focus is in this part of the page. */
export interface KeyGroup {
  readonly title: string;
  readonly pages?: readonly Page[];
  readonly within?: string;
  readonly keys: readonly KeyHelp[];
}

/** One thing that keys do. chords: all of its keys. */
export interface KeyAction {
  readonly group: string;
  readonly title: string;
  readonly chords: readonly string[];
}

export const KEYMAP: readonly KeyGroup[] = [
  {
    title: 'Everywhere',
    keys: [
      { keys: ['Ctrl K'], does: 'commands' },
      { keys: ['/'], does: 'search' },
      { keys: ['?'], does: 'keys and marks' },
      { keys: ['g r', 'g t', 'g s', 'g a'], does: ['go to runs', 'go to tasks', 'go to schedules', 'go to agents'] },
      { keys: ['g p', 'g b', 'g h', 'g w'], does: ['go to approvals', 'go to budgets', 'go to triggers', 'go to webhooks'] },
      { keys: ['g i', 'g q', 'g ,'], does: ['go to insights', 'go to SQL', 'go to settings'] },
      { keys: ['Shift D'], does: 'light, dark or system theme' },
      { keys: ['Esc'], does: 'step back: close, clear the search, drop the selection' },
    ],
  },
  {
    title: 'Run list',
    pages: ['runs'],
    keys: [
      { keys: ['j', '↓'], does: 'next run' },
      { keys: ['k', '↑'], does: 'previous run' },
      { keys: ['Enter'], does: 'open the run' },
      { keys: ['Space', ']'], does: 'show or hide its summary' },
      { keys: ['x', 'Shift X'], does: ['select the run', 'select all runs up to here'] },
      { keys: ['c'], does: 'compare the two selected runs' },
      { keys: ['→', '←'], does: ['open the session', 'close the session'] },
      { keys: ['y'], does: 'copy a link to what you see' },
      { keys: ['Home', 'End'], does: ['first run', 'last run'] },
    ],
  },
  {
    title: 'Tasks',
    pages: ['tasks'],
    keys: [
      { keys: ['j', 'k'], does: ['next task', 'previous task'] },
      { keys: ['Enter'], does: 'open the task' },
      { keys: ['x', 'Shift X'], does: ['select', 'select up to here'] },
    ],
  },
  {
    title: 'A task',
    pages: ['tasks', 'task', 'run'],
    keys: [
      { keys: ['Shift R'], does: 'retry the task, or run it (asks first)' },
      { keys: ['Shift H'], does: 'hold (pause) or resume the task (asks first)' },
      { keys: ['Shift I'], does: 'edit the input or context of the task' },
      { keys: ['Shift C'], does: 'cancel the task (asks first)' },
    ],
  },
  {
    title: 'Schedules',
    pages: ['schedules'],
    keys: [
      { keys: ['j', '↓'], does: 'next schedule' },
      { keys: ['k', '↑'], does: 'previous schedule' },
      { keys: ['Enter'], does: 'open the schedule' },
      { keys: ['n'], does: 'new schedule' },
    ],
  },
  {
    title: 'Agents',
    pages: ['agents'],
    keys: [
      { keys: ['j', '↓'], does: 'next agent; Tab leads to its tasks, to pause it and to its workers' },
      { keys: ['k', '↑'], does: 'previous agent' },
    ],
  },
  {
    title: 'Triggers',
    pages: ['triggers'],
    keys: [
      { keys: ['j', '↓'], does: 'next trigger' },
      { keys: ['k', '↑'], does: 'previous trigger' },
      { keys: ['Enter'], does: 'open the trigger' },
      { keys: ['n'], does: 'new trigger' },
    ],
  },
  {
    title: 'Webhooks',
    pages: ['webhooks'],
    keys: [
      { keys: ['j', '↓'], does: 'next webhook' },
      { keys: ['k', '↑'], does: 'previous webhook' },
      { keys: ['Enter'], does: 'open the webhook' },
      { keys: ['n'], does: 'new webhook' },
    ],
  },
  {
    title: 'Webhook',
    pages: ['webhook'],
    keys: [
      { keys: ['j'], does: 'next delivery' },
      { keys: ['k'], does: 'previous delivery' },
    ],
  },
  {
    title: 'Budgets',
    pages: ['budgets'],
    keys: [
      { keys: ['j', '↓'], does: 'next budget; Enter raises it, Tab leads on to edit and delete' },
      { keys: ['k', '↑'], does: 'previous budget' },
      { keys: ['n'], does: 'set a budget' },
    ],
  },
  {
    title: 'Approvals',
    pages: ['approvals'],
    keys: [
      { keys: ['j', '↓'], does: 'next' },
      { keys: ['k', '↑'], does: 'previous' },
      { keys: ['Home', 'End'], does: ['first', 'last'] },
      { keys: ['Enter'], does: 'to what is asked' },
      { keys: ['a'], does: 'approve, or answer (asks for a reason first)' },
      { keys: ['e'], does: 'edit the action and approve it' },
      { keys: ['r'], does: 'reject (asks for a reason first)' },
      { keys: ['d'], does: 'delegate to others' },
    ],
  },
  {
    title: 'Tree of a run',
    pages: ['run'],
    keys: [
      { keys: ['↓', 'j'], does: 'next row' },
      { keys: ['↑', 'k'], does: 'previous row' },
      { keys: ['→'], does: 'expand, or to the first child' },
      { keys: ['←'], does: 'collapse, or to the parent' },
      { keys: ['Shift →', 'Shift ←'], does: ['expand the whole level', 'collapse the whole level'] },
      { keys: ['Home', 'End'], does: ['first row', 'last row'] },
      { keys: ['PgUp', 'PgDn'], does: ['a screen up', 'a screen down'] },
      { keys: ['e', 'Shift E'], does: ['next error', 'previous error'] },
      { keys: [']'], does: 'show or hide the detail panel' },
    ],
  },
  {
    title: 'Search in a run',
    pages: ['run'],
    within: 'search',
    keys: [{ keys: ['Enter', 'Shift Enter'], does: ['next match', 'previous match'] }],
  },
  {
    title: 'Time',
    pages: ['run'],
    keys: [
      { keys: ['w', 's'], does: ['zoom in', 'zoom out'] },
      { keys: ['a', 'd'], does: ['earlier', 'later'] },
      { keys: ['Shift A', 'Shift S'], does: ['much earlier', 'much later'] },
      { keys: ['f'], does: 'fit the selected span, again: its subtree' },
      { keys: ['0'], does: 'the whole run' },
      { keys: ['z'], does: 'back to the window before the last zoom' },
      { keys: ['v'], does: 'frame rows: the window follows the rows on screen' },
      { keys: ['i'], does: 'fold idle time, or show it at its length' },
      { keys: ['Ctrl wheel'], does: 'zoom at the pointer' },
      { keys: ['Shift wheel'], does: 'pan' },
      { keys: [',', '.'], does: ['previous span on this level', 'next span on this level'] },
      { keys: ['p', 'Shift P'], does: ['next stretch of the critical path', 'previous stretch of the critical path'] },
      { keys: ['c'], does: 'only rows on the critical path' },
    ],
  },
  {
    title: 'Measure time',
    pages: ['run'],
    keys: [
      { keys: ['drag'], does: 'an area of bars: what the spans in it took, by name' },
      { keys: ['r'], does: 'the area of the selected span and what is below it' },
      { keys: ['m'], does: 'the time of the selected span, over all rows' },
      { keys: ['Shift M'], does: 'from this span: the gap to the one selected next' },
      { keys: ['Shift click'], does: 'the gap from the selected span to this one' },
    ],
  },
  {
    title: 'Two runs',
    pages: ['compare'],
    keys: [
      { keys: ['n', 'Shift N'], does: ['next difference', 'previous difference'] },
      { keys: ['↓', 'j'], does: 'next row' },
      { keys: ['↑', 'k'], does: 'previous row' },
      { keys: ['→'], does: 'expand, or to the first child' },
      { keys: ['←'], does: 'collapse, or to the parent' },
      { keys: ['Home', 'End'], does: ['first row', 'last row'] },
      { keys: ['PgUp', 'PgDn'], does: ['a screen up', 'a screen down'] },
      { keys: ['Shift X'], does: 'swap the runs' },
      { keys: ['w', 's'], does: ['zoom in', 'zoom out'] },
      { keys: ['a', 'd'], does: ['earlier', 'later'] },
      { keys: ['Shift A', 'Shift S'], does: ['much earlier', 'much later'] },
      { keys: ['f'], does: 'fit the selected step' },
      { keys: ['v'], does: 'frame the rows on screen, or not' },
      { keys: ['0'], does: 'all of both runs' },
      { keys: ['y'], does: 'copy a link to what you see' },
    ],
  },
  {
    title: 'Flame',
    pages: ['flame'],
    keys: [
      { keys: ['↑', '↓'], does: ['to the parent', 'to the widest child'] },
      { keys: ['←', '→'], does: ['to the left on the same level', 'to the right on the same level'] },
      { keys: ['Enter'], does: 'make the node the whole picture' },
      { keys: ['Backspace'], does: 'back to what it is part of' },
      { keys: ['f'], does: 'fit the node' },
      { keys: ['0'], does: 'the whole width' },
      { keys: ['w', 's'], does: ['zoom in', 'zoom out'] },
      { keys: ['a', 'd'], does: ['pan left', 'pan right'] },
      { keys: ['c'], does: 'compare with the runs before, or with none' },
      { keys: ['y'], does: 'copy a link to what you see' },
    ],
  },
  {
    title: 'Views of a run',
    pages: ['run'],
    keys: [
      { keys: ['1', '2', '3'], does: ['waterfall', 'lanes', 'messages'] },
      { keys: ['4', '5'], does: ['log', 'table'] },
    ],
  },
  {
    title: 'Lanes',
    pages: ['run'],
    within: 'lanes',
    keys: [
      { keys: ['←', '→'], does: ['previous span in the lane', 'next span in the lane'] },
      { keys: ['↑', '↓'], does: ['span above', 'span below'] },
      { keys: ['Enter'], does: 'fit the span with its subtree' },
      { keys: ['+', '-'], does: ['taller lanes', 'flatter lanes'] },
    ],
  },
  {
    title: 'Table of spans',
    pages: ['run'],
    within: 'table',
    keys: [{ keys: ['x', 'Shift X'], does: ['choose for the sums', 'choose up to here'] }],
  },
  {
    title: 'SQL',
    pages: ['sql'],
    keys: [
      { keys: ['Ctrl Enter'], does: 'run the selection, or the statement at the cursor' },
    ],
  },
  {
    title: 'Result of a query',
    pages: ['sql'],
    within: 'result',
    keys: [
      { keys: ['↑', '↓', '←', '→'], does: 'move among the cells; Shift selects' },
      { keys: ['Ctrl ↑', 'Ctrl ↓'], does: ['first row', 'last row'] },
      { keys: ['Home', 'End'], does: ['first column', 'last column'] },
      { keys: ['Enter'], does: 'follow the link, sort by the name, or show the value whole' },
      { keys: ['Space'], does: 'show the value whole' },
      { keys: ['Ctrl A', 'Ctrl C'], does: ['select all', 'copy as tab-separated text'] },
      { keys: ['Shift ←', 'Shift →'], does: ['narrower column, on its name', 'wider column, on its name'] },
    ],
  },
  {
    title: 'Charts',
    pages: ['insights', 'sql'],
    within: 'chart',
    keys: [
      { keys: ['←', '→'], does: ['place before', 'place after'] },
      { keys: ['Home', 'End'], does: ['first place', 'last place'] },
      { keys: ['Shift ←', 'Shift →'], does: ['brush to the left', 'brush to the right'] },
      { keys: ['Enter'], does: 'the runs of the place, or the brushed time' },
      { keys: ['Esc'], does: 'drop the brush' },
    ],
  },
  {
    title: 'Share',
    pages: ['run'],
    keys: [
      { keys: ['y'], does: 'copy a link to what you see' },
      { keys: ['Shift Y'], does: 'copy a summary with a link, in Markdown' },
      { keys: ['o'], does: 'copy the selected span as JSON' },
    ],
  },
];

const POINTER = ['wheel', 'click', 'drag'];
const MODIFIERS = ['Shift', 'Ctrl'];
const NAMES: Readonly<Record<string, string>> = {
  ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', ' ': 'Space', PageUp: 'PgUp', PageDown: 'PgDn',
};
const KEYS = Object.fromEntries(Object.entries(NAMES).map(([key, name]) => [name, key]));

/** A key press, as far as chords go. */
export interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Groups that hold on a page, in the table's order. */
export function groupsOn(page: Page): KeyGroup[] {
  return KEYMAP.filter((group) => group.pages?.includes(page) ?? true);
}

/** What keys do in a group, each with all of its keys. */
export function actionsOf(group: KeyGroup): KeyAction[] {
  return group.keys.flatMap(({ keys, does }) =>
    typeof does === 'string'
      ? [{ group: group.title, title: does, chords: keys }]
      : does.map((title, i) => ({ group: group.title, title, chords: [keys[i]] })),
  );
}

/** The one text of a line in the help sheet. */
export function helpText({ does }: KeyHelp): string {
  return typeof does === 'string' ? does : does.join(', ');
}

/** Keys of a chord one after the other, each with its modifiers: "g r" has two, "Shift D" one. */
export function strokes(chord: string): string[][] {
  const all: string[][] = [];
  let modifiers: string[] = [];
  for (const part of chord.split(' ')) {
    if (MODIFIERS.includes(part)) modifiers.push(part);
    else {
      all.push([...modifiers, part]);
      modifiers = [];
    }
  }
  return all;
}

/** The key presses of a chord; none for what needs a mouse. */
export function pressesOf(chord: string): KeyPress[] {
  const all = strokes(chord);
  if (all.some((stroke) => POINTER.includes(stroke[stroke.length - 1]))) return [];
  return all.map((stroke) => {
    const name = stroke[stroke.length - 1];
    const shiftKey = stroke.includes('Shift');
    const ctrlKey = stroke.includes('Ctrl');
    const key = KEYS[name] ?? (name.length === 1 && !shiftKey ? name.toLowerCase() : name);
    return { key, shiftKey, ctrlKey, metaKey: false, altKey: false };
  });
}

/** The chord of one key press, as the table writes it. */
export function chordOf({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyPress): string {
  const name = NAMES[key] ?? key;
  const isLetter = name.length === 1 && name.toLowerCase() !== name.toUpperCase();
  const parts: string[] = [];
  if (ctrlKey || metaKey) parts.push('Ctrl');
  if (altKey) parts.push('Alt');
  if (shiftKey && (isLetter || name.length > 1 || '↑↓←→'.includes(name))) parts.push('Shift');
  parts.push(isLetter && parts.length > 0 ? name.toUpperCase() : name);
  return parts.join(' ');
}

/** True for what types a character: the shortcuts that a reader may switch off, see WCAG 2.1.4. Space is a button's. */
export function typesCharacter({ key, ctrlKey, metaKey, altKey }: KeyPress): boolean {
  return key.length === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey;
}

/** True while keys belong to a field. Modifiers other than Shift belong to the browser. */
export function isTyping(event: { target: unknown; ctrlKey: boolean; metaKey: boolean; altKey: boolean }): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target as { tagName?: string; type?: string; isContentEditable?: boolean } | null;
  if (target?.tagName === 'INPUT' && ['checkbox', 'radio'].includes(target.type ?? '')) return false;
  return target?.isContentEditable === true || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target?.tagName ?? '');
}
