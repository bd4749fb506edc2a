/** How long each span was at work itself: its time less the time that any of its children covers. */

import { spanAbove, type Tree } from './tree';

/** Nanoseconds by node. now: when spans that run end. Children that work at the same time are counted once. */
export function selfTimes(tree: Tree, now: number): Float64Array {
  const endOf = (node: number) => (Number.isNaN(tree.end[node]) ? Math.max(now, tree.start[node]) : tree.end[node]);
  const self = new Float64Array(tree.nodeCount);
  const coveredTo = new Float64Array(tree.nodeCount);
  for (let node = 0; node < tree.nodeCount; node++) {
    self[node] = endOf(node) - tree.start[node];
    coveredTo[node] = tree.start[node];
  }
  for (const node of byStart(tree)) {
    const above = spanAbove(tree, node);
    if (above < 0) continue;
    const from = Math.max(tree.start[node], coveredTo[above]);
    const to = Math.min(endOf(node), endOf(above));
    if (to <= from) continue;
    self[above] -= to - from;
    coveredTo[above] = to;
  }
  return self;
}

/** Spans in order of start, in which loads arrive already. */
function byStart({ start, spanCount }: Tree): Int32Array {
  const spans = Int32Array.from({ length: spanCount }, (_, row) => row);
  for (let row = 1; row < spanCount; row++) if (start[row] < start[row - 1]) return spans.sort((a, b) => start[a] - start[b]);
  return spans;
}
