/** Which nodes of the tree are rows on screen, and moving among them. */

import { type Tree } from './tree';

export interface RowChoice {
  readonly isCollapsed: (node: number) => boolean;
  /** Show this node's subtree alone; -1: the whole tree. */
  readonly focus?: number;
  /** 1 for the nodes that may be rows, such as those with a match below; null: all may. */
  readonly kept?: Uint8Array | null;
}

/** Nodes that are not inside a collapsed one, top to bottom. */
export function visibleRows(tree: Tree, { isCollapsed, focus = -1, kept = null }: RowChoice): Int32Array {
  const [from, until] = focusRange(tree, focus);
  const rows = new Int32Array(until - from);
  let count = 0;
  for (let i = from; i < until; ) {
    const node = tree.preorder[i];
    const isKept = kept === null || kept[node] === 1;
    if (isKept) rows[count++] = node;
    i += !isKept || (tree.size[node] > 1 && isCollapsed(node)) ? tree.size[node] : 1;
  }
  return rows.subarray(0, count);
}

/** The places in preorder that a focused subtree takes. */
export function focusRange(tree: Tree, focus: number): [from: number, until: number] {
  return focus < 0 ? [0, tree.nodeCount] : [tree.place[focus], tree.place[focus] + tree.size[focus]];
}

/** 1 for the spans that pass and for everything above them. */
export function withAncestors(tree: Tree, passes: (row: number) => boolean): Uint8Array {
  const kept = new Uint8Array(tree.nodeCount);
  for (let row = 0; row < tree.spanCount; row++) {
    if (!passes(row)) continue;
    for (let node = row; node >= 0 && kept[node] === 0; node = tree.parent[node]) kept[node] = 1;
  }
  return kept;
}

/** Whether a row is found: a span by itself, what stands for several spans by any of them. */
export function hasMatch({ spanCount, place, size, preorder }: Tree, matches: Uint8Array, node: number): boolean {
  if (node < spanCount) return matches[node] === 1;
  return preorder.subarray(place[node] + 1, place[node] + size[node]).some((member) => matches[member] === 1);
}

/** Whether a node has children that may be rows. */
export function hasRowsBelow(tree: Tree, kept: Uint8Array | null, node: number): boolean {
  const until = tree.place[node] + tree.size[node];
  for (let i = tree.place[node] + 1; i < until; i += tree.size[tree.preorder[i]]) {
    if (kept === null || kept[tree.preorder[i]] === 1) return true;
  }
  return false;
}

/** The row of the node, or of its nearest ancestor that is on screen; -1 when there is none. */
export function rowOfNode(rows: Int32Array, tree: Tree, node: number): number {
  let target = node;
  while (target >= 0) {
    const row = findPlace(rows, tree.place, tree.place[target]);
    if (row >= 0) return row;
    target = tree.parent[target];
  }
  return -1;
}

function findPlace(rows: Int32Array, place: Int32Array, wanted: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const here = place[rows[middle]];
    if (here === wanted) return middle;
    if (here < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Ancestors of a node, nearest first. */
export function ancestors(tree: Tree, node: number): number[] {
  const chain: number[] = [];
  for (let above = tree.parent[node]; above >= 0; above = tree.parent[above]) chain.push(above);
  return chain;
}

/** Rows of a windowed list that must exist for a scroll position: first row and count, with a margin of one row. */
export function windowRows(scrollTop: number, height: number, rowHeight: number, total: number) {
  const first = Math.max(0, Math.min(total, Math.floor(scrollTop / rowHeight)));
  const count = Math.min(total - first, Math.ceil(height / rowHeight) + 1);
  return { first, count: Math.max(0, count) };
}

/** The row that a key leads to from another, -1 when none is chosen; null for keys that lead nowhere. page: rows of one. */
export function rowByKey(key: string, here: number, total: number, page: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity,
  };
  if (!Object.hasOwn(steps, key) || total === 0) return null;
  return Math.min(Math.max(here + steps[key], 0), total - 1);
}

/** Where a list of that height is to be scrolled for a row to be in view, below a head as high as one. */
export function scrolledTo(row: number, rowHeight: number, scrollTop: number, height: number): number {
  const top = row * rowHeight;
  return Math.min(top, Math.max(scrollTop, top + 2 * rowHeight - height));
}

/** Scrolling higher lists than this is scaled: browsers cut elements off somewhere above 16 million pixels. */
export const TALLEST_PX = 8_000_000;

/** Between the scroll bar's position and that in the list, where the list is taller than an element can be. */
export interface ScrollScale {
  /** How tall the scrolled element is. */
  readonly tall: number;
  toOffset(scrollTop: number): number;
  toScrollTop(offset: number): number;
}

export function scrollScale(listHeight: number, height: number, tallest = TALLEST_PX): ScrollScale {
  const tall = Math.min(listHeight, tallest);
  const factor = tall < listHeight ? (listHeight - height) / (tall - height) : 1;
  return { tall, toOffset: (scrollTop) => scrollTop * factor, toScrollTop: (offset) => offset / factor };
}

/** The deepest level down to which all nodes fit into `most` rows; at least the top level. */
export function deepestLevelWithin(tree: Tree, most: number): number {
  const perLevel: number[] = [];
  for (const depth of tree.depth) perLevel[depth] = (perLevel[depth] ?? 0) + 1;
  let level = 0;
  let rows = perLevel[0] ?? 0;
  while (level + 1 < perLevel.length && rows + perLevel[level + 1] <= most) rows += perLevel[++level];
  return level;
}
