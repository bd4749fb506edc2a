/** What a row says in words: its name, and what is worth knowing beside it. */

import { plural } from './format';
import type { SpanStore } from './spans';
import { syntheticOf, type Tree } from './tree';

const VERSION_DATE = /-\d{4}-?\d\d-?\d\d$/;

/** The span that stands for a node: itself, or the first member of a group; -1 for a missing parent. */
export function spanOf(tree: Tree, node: number): number {
  let at = node;
  while (at >= tree.spanCount) {
    if (tree.synthetic[at - tree.spanCount].type === 'missing') return -1;
    at = tree.preorder[tree.place[at] + 1];
  }
  return at;
}

/** The name of a node: a span's, that of a group's members, or the id of a missing parent. */
export function nodeLabel(tree: Tree, store: SpanStore, node: number): string {
  const span = spanOf(tree, node);
  return span < 0 ? (syntheticOf(tree, node)?.id ?? '') : store.nameOf(span);
}

/** "×14" or "3 tries"; "" for what is no group. */
export function groupText(tree: Tree, node: number): string {
  const group = syntheticOf(tree, node);
  if (group?.type === 'repeat') return `×${group.count.toLocaleString('en-US')}`;
  return group?.type === 'attempts' ? plural(group.count, 'try', 'tries') : '';
}

/** The model or tool of a span where its name does not say so already; exact versions are in the panel. */
export function sideText(store: SpanStore, row: number): string {
  const name = store.nameOf(row);
  const said = store.strings.text(store.model[row]) ?? store.strings.text(store.tool[row]) ?? '';
  return name.includes(said.replace(VERSION_DATE, '')) ? '' : said;
}

/** A path or an address: one word with slashes. */
export function isPath(text: string): boolean {
  return /^\S*\/\S*$/.test(text);
}

/** How a span stands, where that is not simply completed. */
export function statusText(status: string, isLive: boolean): string | null {
  if (status === 'completed') return null;
  return status === 'running' && !isLive ? 'open' : status;
}
