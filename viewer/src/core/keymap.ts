/** Every key the viewer answers to; the help sheet and the handlers read the same table. */

export interface KeyHelp {
  readonly keys: readonly string[];
  readonly does: string;
}

export interface KeyGroup {
  readonly title: string;
  readonly keys: readonly KeyHelp[];
}

export const KEYMAP: readonly KeyGroup[] = [
  {
    title: 'Everywhere',
    keys: [
      { keys: ['/'], does: 'search' },
      { keys: ['?'], does: 'this sheet' },
      { keys: ['g r'], does: 'go to runs' },
      { keys: ['g t', 'g s', 'g a'], does: 'go to tasks, schedules, agents' },
      { keys: ['g i', 'g q'], does: 'go to insights, SQL' },
      { keys: ['Shift D'], does: 'light, dark or system theme' },
      { keys: [']'], does: 'show or hide the detail panel' },
      { keys: ['Esc'], does: 'step back' },
    ],
  },
  {
    title: 'Run list',
    keys: [
      { keys: ['j', '↓'], does: 'next run' },
      { keys: ['k', '↑'], does: 'previous run' },
      { keys: ['Enter'], does: 'open the run' },
      { keys: ['Home', 'End'], does: 'first, last run' },
    ],
  },
  {
    title: 'Tasks',
    keys: [
      { keys: ['j', 'k'], does: 'next, previous task' },
      { keys: ['Enter'], does: 'open the task' },
      { keys: ['x', 'Shift X'], does: 'select, select up to here' },
      { keys: ['Shift R'], does: 'retry the task, or run it (asks first)' },
      { keys: ['Shift P'], does: 'pause or resume the task (asks first)' },
      { keys: ['Shift C'], does: 'cancel the task (asks first)' },
      { keys: ['Esc'], does: 'drop the selection' },
    ],
  },
  {
    title: 'Tree of a run',
    keys: [
      { keys: ['↓', '↑', 'j', 'k'], does: 'next, previous row' },
      { keys: ['→'], does: 'expand, or to the first child' },
      { keys: ['←'], does: 'collapse, or to the parent' },
      { keys: ['Shift → ←'], does: 'expand, collapse the whole level' },
      { keys: ['e', 'Shift E'], does: 'next, previous error' },
      { keys: ['Enter'], does: 'next match, in the search box' },
    ],
  },
  {
    title: 'Time',
    keys: [
      { keys: ['w', 's'], does: 'zoom in, out' },
      { keys: ['a', 'd'], does: 'earlier, later' },
      { keys: ['Shift A', 'Shift S'], does: 'much earlier, much later' },
      { keys: ['f'], does: 'fit the selected span, again: its subtree' },
      { keys: ['0'], does: 'the whole run' },
      { keys: ['Ctrl wheel'], does: 'zoom at the pointer' },
      { keys: ['Shift wheel'], does: 'pan' },
    ],
  },
  {
    title: 'Share',
    keys: [
      { keys: ['y'], does: 'copy a link to what you see' },
      { keys: ['o'], does: 'copy the selected span as JSON' },
    ],
  },
];

/** True while keys belong to a field. Modifiers other than Shift belong to the browser. */
export function isTyping(event: { target: unknown; ctrlKey: boolean; metaKey: boolean; altKey: boolean }): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target as { tagName?: string; isContentEditable?: boolean } | null;
  return target?.isContentEditable === true || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target?.tagName ?? '');
}
