/** The keys of the run list. */

import { isTyping } from '../../core/keymap';
import { runPath } from '../../core/route';
import { copyText } from '../../state/clipboard';
import { announcer } from '../../state/announcer.svelte';
import { router } from '../../state/router.svelte';
import type { RunsModel } from '../../state/runs.svelte';

export interface RunListActions {
  readonly model: RunsModel;
  /** Rows of a page. */
  page(): number;
  move(to: number): void;
  peek(): void;
  peeking(): boolean;
  compare(): void;
  /** Esc; false when there is nothing to step back from. */
  stepBack(): boolean;
}

const isControl = (target: EventTarget | null) => target instanceof Element && target.closest('a, button, [role="slider"], [role="separator"]') !== null;

export function runListKeys(actions: RunListActions): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.defaultPrevented) return;
    const checkbox = event.target instanceof HTMLInputElement && event.target.type === 'checkbox';
    if (isTyping(event) && !checkbox) return;
    // Enter and Space on a focused button or link are that element's own.
    if ((event.key === 'Enter' || event.key === ' ') && isControl(event.target)) return;
    if (moves(actions, event.key) || acts(actions, event.key)) event.preventDefault();
  };
}

function moves({ model, page, move }: RunListActions, key: string): boolean {
  const here = model.selectedIndex;
  if (key === 'j' || key === 'ArrowDown') move(here + 1);
  else if (key === 'k' || key === 'ArrowUp') move(here - 1);
  else if (key === 'Home') move(0);
  else if (key === 'End') move(model.rows.length - 1);
  else if (key === 'PageDown') move(here + page());
  else if (key === 'PageUp') move(here - page());
  else return false;
  return true;
}

function acts(actions: RunListActions, key: string): boolean {
  const { model } = actions;
  const id = model.selectedId;
  if (key === '/') document.querySelector<HTMLInputElement>('[data-search]')?.focus();
  else if (key === 'Enter' && id) router.go(runPath(id));
  else if (key === ' ' || key === ']') peek(actions);
  else if ((key === 'x' || key === 'X') && id) model.mark(id, key === 'X');
  else if (key === 'c') actions.compare();
  else if (key === 'y') void copyLink();
  else if (key === 'Escape') return actions.stepBack();
  else return false;
  return true;
}

function peek({ model, move, peek }: RunListActions): void {
  if (model.selectedIndex < 0) move(0);
  peek();
}

async function copyLink(): Promise<void> {
  await copyText(location.href);
  announcer.say('Link copied');
}
