/** Which nodes of the tree are rows on screen, and moving among them. */

import { type Tree } from './tree';

/** Nodes that are not inside a collapsed one, top to bottom. */
export function visibleRows(tree: Tree, isCollapsed: (node: number) => boolean): Int32Array {
  const rows = new Int32Array(tree.nodeCount);
  let count = 0;
  for (let i = 0; i < tree.nodeCount; ) {
    const node = tree.preorder[i];
    rows[count++] = node;
    i += tree.size[node] > 1 && isCollapsed(node) ? tree.size[node] : 1;
  }
  return rows.subarray(0, count);
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

/** The deepest level down to which all nodes fit into `most` rows; at least the top level. */
export function deepestLevelWithin(tree: Tree, most: number): number {
  const perLevel: number[] = [];
  for (const depth of tree.depth) perLevel[depth] = (perLevel[depth] ?? 0) + 1;
  let level = 0;
  let rows = perLevel[0] ?? 0;
  while (level + 1 < perLevel.length && rows + perLevel[level + 1] <= most) rows += perLevel[++level];
  return level;
}
