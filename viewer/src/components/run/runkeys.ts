/** Keys of the run page. */

import { spanAbove } from '../../core/tree';
import type { RunModel } from '../../state/run/model.svelte';
import { settings } from '../../state/settings.svelte';
import { copySpanJson } from '../detail/spanjson';
import { timeKey } from './timekeys';

export interface RunKeyContext {
  readonly model: RunModel;
  readonly select: (node: number) => void;
  readonly moveRow: (by: number) => void;
  /** Rows on one screen. */
  readonly page: number;
  readonly focusSearch: () => void;
}

type Action = (context: RunKeyContext, event: KeyboardEvent) => void;

const ACTIONS: Record<string, Action> = {
  ArrowDown: ({ moveRow }) => moveRow(1),
  ArrowUp: ({ moveRow }) => moveRow(-1),
  j: ({ moveRow }) => moveRow(1),
  k: ({ moveRow }) => moveRow(-1),
  PageDown: ({ moveRow, page }) => moveRow(page),
  PageUp: ({ moveRow, page }) => moveRow(-page),
  Home: ({ moveRow }) => moveRow(-Infinity),
  End: ({ moveRow }) => moveRow(Infinity),
  ArrowRight: (context, event) => (event.shiftKey ? foldLevel(context, false) : stepIn(context)),
  ArrowLeft: (context, event) => (event.shiftKey ? foldLevel(context, true) : stepOut(context)),
  e: ({ model, select }) => select(model.findFrom(model.isError, false)),
  E: ({ model, select }) => select(model.findFrom(model.isError, true)),
  Y: ({ model }) => void import('./share').then(({ copyMarkdown }) => copyMarkdown(model)),
  y: ({ model }) => void import('./share').then(({ copyLink }) => copyLink(model)),
  o: ({ model }) => void copySpanJson(model),
  ']': () => settings.togglePanel(),
  '/': ({ focusSearch }) => focusSearch(),
  l: ({ model }) => (model.outline.follows = !model.outline.follows && model.isLive),
  Enter: ({ model }) => focusOn(model, model.selectedNode()),
  Backspace: ({ model }) => leaveFocus(model),
  '[': () => settings.toggleTree(),
  Escape: ({ model }) => stepBack(model),
};

/** Carries out a key; answers whether it meant something here. */
export function runKey(event: KeyboardEvent, context: RunKeyContext): boolean {
  if (timeKey(event, context.model, context.select)) return true;
  if (!Object.hasOwn(ACTIONS, event.key)) return false;
  ACTIONS[event.key](context, event);
  return true;
}

function focusOn(model: RunModel, node: number): void {
  if (node >= 0 && node !== model.outline.focus && model.outline.isParent(node)) model.outline.focusOn(node);
}

/** One level up at a time, up to the whole run; what was focused stays selected. */
function leaveFocus(model: RunModel): void {
  const { tree, outline } = model;
  if (!tree || outline.focus < 0) return;
  if (model.selectedId === null) model.select(outline.focus);
  outline.focusOn(spanAbove(tree, outline.focus));
}

function stepBack(model: RunModel): void {
  const { outline } = model;
  if (outline.query !== '') outline.search.set('');
  else if (model.selectedId !== null) model.selectedId = null;
  else leaveFocus(model);
}

function stepIn({ model, moveRow }: RunKeyContext): void {
  const node = model.selectedNode();
  if (node < 0 || !model.outline.isParent(node)) return;
  if (model.outline.isCollapsed(node)) model.outline.setCollapsed([node], false);
  else moveRow(1);
}

function stepOut({ model, select }: RunKeyContext): void {
  const node = model.selectedNode();
  if (node < 0 || !model.tree) return;
  if (model.outline.isParent(node) && !model.outline.isCollapsed(node)) model.outline.setCollapsed([node], true);
  else if (node !== model.outline.focus) select(model.tree.parent[node]);
}

/** Folds or opens every node on the selected node's level. */
function foldLevel({ model }: RunKeyContext, closed: boolean): void {
  const node = model.selectedNode();
  if (node >= 0) model.outline.foldLevel(node, closed);
}
