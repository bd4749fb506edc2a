/** Many runs folded into one picture: where its nodes lie, what is too narrow to draw, and moving among them. */

export const FLAME_METRICS = ['time', 'self', 'cost', 'tokens', 'errors'] as const;
export type FlameMetric = (typeof FLAME_METRICS)[number];
export const FLAME_GROUPS = ['name', 'agent', 'model'] as const;
export type FlameGroup = (typeof FLAME_GROUPS)[number];

/** Which runs are folded, and how. from, to: times as the search language has them, or empty. */
export interface FlameQuestion {
  q: string;
  from: string;
  to: string;
  metric: FlameMetric;
  by: FlameGroup;
  runs: number;
}

/** All spans at one path. parent: its place in the list. value: with everything below it; own: without. */
export interface FlameNode {
  name: string;
  kind: string;
  value: number;
  count: number;
  own?: number;
  parent?: number;
}

/** All spans of one name. */
export interface FlameEntry {
  name: string;
  kind: string;
  own: number;
  total: number;
  count: number;
}

export interface Flame {
  metric: FlameMetric;
  by: FlameGroup;
  total: number;
  run_count: number;
  span_count: number;
  is_cut: boolean;
  hidden: number;
  nodes: FlameNode[];
  table: FlameEntry[];
  run_sql: string;
}

export interface FlameAround {
  key: string;
  callers: FlameNode[];
  callees: FlameNode[];
}

/** The nodes with their places: x as parts of the whole width, from 0 to 1. */
export interface Layout {
  readonly nodes: readonly FlameNode[];
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Of each depth its nodes, left to right. */
  readonly levels: readonly Int32Array[];
  readonly total: number;
}

/** Children lie below their parents from the left, the widest first, as the nodes come. */
export function layoutFlame(nodes: readonly FlameNode[]): Layout {
  const parent = Int32Array.from(nodes, (node) => node.parent ?? -1);
  const depth = new Int32Array(nodes.length);
  const from = new Float64Array(nodes.length);
  const to = new Float64Array(nodes.length);
  const total = nodes.reduce((sum, node) => sum + (node.parent === undefined ? node.value : 0), 0);
  /** Where the next child of each node begins. */
  const next = new Float64Array(nodes.length);
  let top = 0;
  nodes.forEach((node, i) => {
    const above = parent[i];
    const width = total > 0 ? node.value / total : 0;
    depth[i] = above < 0 ? 0 : depth[above] + 1;
    from[i] = above < 0 ? top : next[above];
    // Sums of many parts differ in their last digits; no child may stick out.
    to[i] = Math.min(from[i] + width, above < 0 ? 1 : to[above]);
    next[i] = from[i];
    if (above < 0) top = to[i];
    else next[above] = to[i];
  });
  return { nodes, parent, depth, from, to, levels: levelsOf(depth, from), total };
}

function levelsOf(depth: Int32Array, from: Float64Array): Int32Array[] {
  const levels: number[][] = [];
  depth.forEach((level, i) => (levels[level] ??= []).push(i));
  return levels.map((members) => Int32Array.from(members.sort((one, other) => from[one] - from[other] || one - other)));
}

/** The window of the picture: parts of its width. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export const WHOLE: Window = { from: 0, to: 1 };

/** A node, or (-1) several that are too narrow to be told apart. x, width: pixels. */
export interface Box {
  readonly node: number;
  readonly x: number;
  readonly width: number;
}

/** Narrower nodes are merged with their neighbours. */
const NARROWEST_PX = 1.5;

/** What is to be drawn of one level. `width` pixels show the window. */
export function boxesOf(layout: Layout, level: number, window: Window, width: number): Box[] {
  const members = layout.levels[level] ?? new Int32Array();
  const scale = width / (window.to - window.from);
  const boxes: Box[] = [];
  for (let i = firstEnding(layout, members, window.from); i < members.length; i++) {
    const node = members[i];
    if (layout.from[node] >= window.to) break;
    if (layout.to[node] > layout.from[node]) {
      addBox(boxes, { node, x: (layout.from[node] - window.from) * scale, width: (layout.to[node] - layout.from[node]) * scale });
    }
  }
  return boxes;
}

function addBox(boxes: Box[], box: Box): void {
  if (box.width >= NARROWEST_PX) return void boxes.push(box);
  const last = boxes.at(-1);
  const touches = last?.node === -1 && box.x - (last.x + last.width) < NARROWEST_PX;
  if (touches) boxes[boxes.length - 1] = { ...last, width: Math.max(last.width, box.x + box.width - last.x) };
  else boxes.push({ node: -1, x: box.x, width: Math.max(box.width, 1) });
}

/** The first member that ends after a place. */
function firstEnding(layout: Layout, members: Int32Array, at: number): number {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (layout.to[members[middle]] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The node at a place of a level; -1 when there is none. */
export function nodeAt(layout: Layout, level: number, at: number): number {
  const members = layout.levels[level];
  if (!members) return -1;
  const node = members[firstEnding(layout, members, at)];
  return node !== undefined && layout.from[node] <= at ? node : -1;
}

/** Every node below its parent, siblings as they lie. */
export function preorder({ parent, levels }: Layout): number[] {
  const children: number[][] = Array.from(parent, () => []);
  for (const members of levels) for (const node of members) if (parent[node] >= 0) children[parent[node]].push(node);
  const order: number[] = [];
  const waiting = [...(levels[0] ?? [])].reverse();
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    order.push(node);
    waiting.push(...children[node].reverse());
  }
  return order;
}

/** The names from the top to a node. */
export function pathOf(layout: Layout, node: number): string[] {
  const path: string[] = [];
  for (let at = node; at >= 0; at = layout.parent[at]) path.push(layout.nodes[at].name);
  return path.reverse();
}

/** The node at a path of names; -1 when there is none. */
export function nodeOfPath(layout: Layout, path: readonly string[]): number {
  let node = -1;
  for (const [level, name] of path.entries()) {
    const members = layout.levels[level] ?? [];
    node = members.find((member) => layout.parent[member] === node && layout.nodes[member].name === name) ?? -1;
    if (node < 0) return -1;
  }
  return node;
}

/** The part of the nodes at and below one, as a picture of its own. */
export function subtree(nodes: readonly FlameNode[], root: number): FlameNode[] {
  const places = new Map([[root, 0]]);
  const kept: FlameNode[] = [{ ...nodes[root], parent: undefined }];
  for (let i = root + 1; i < nodes.length; i++) {
    const above = nodes[i].parent === undefined ? undefined : places.get(nodes[i].parent as number);
    if (above === undefined) continue;
    places.set(i, kept.length);
    kept.push({ ...nodes[i], parent: above });
  }
  return kept;
}

/** The node an arrow key leads to; the same one when there is nothing in that direction. */
export function walk(layout: Layout, node: number, key: 'up' | 'down' | 'left' | 'right'): number {
  if (layout.nodes.length === 0) return -1;
  if (node < 0) return layout.levels[0][0];
  if (key === 'up') return layout.parent[node] < 0 ? node : layout.parent[node];
  if (key === 'down') return widestChild(layout, node);
  const members = layout.levels[layout.depth[node]];
  const step = key === 'left' ? -1 : 1;
  for (let i = members.indexOf(node) + step; i >= 0 && i < members.length; i += step) {
    if (layout.to[members[i]] > layout.from[members[i]]) return members[i];
  }
  return node;
}

function widestChild(layout: Layout, node: number): number {
  const members = layout.levels[layout.depth[node] + 1] ?? [];
  return members.find((member) => layout.parent[member] === node && layout.to[member] > layout.from[member]) ?? node;
}

/** Moves the window so that a node is in it, without zooming where it is wide enough to see. */
export function windowWith(layout: Layout, node: number, window: Window): Window {
  const [from, to] = [layout.from[node], layout.to[node]];
  const length = window.to - window.from;
  if (to - from > length) return { from, to };
  if (from < window.from) return { from, to: from + length };
  return to > window.to ? { from: to - length, to } : window;
}

/** A narrower or wider window around a place, within the whole. */
export function zoomWindow(window: Window, factor: number, at: number): Window {
  const length = Math.min(1, Math.max((window.to - window.from) * factor, 1e-7));
  const from = at - ((at - window.from) * length) / (window.to - window.from);
  return panWindow({ from, to: from + length }, 0);
}

export function panWindow({ from, to }: Window, by: number): Window {
  const length = to - from;
  const start = Math.min(Math.max(from + by, 0), 1 - length);
  return { from: start, to: start + length };
}

/** Which nodes a text is part of the name of; null without a text. */
export function matchNodes(layout: Layout, text: string): Uint8Array | null {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  return Uint8Array.from(layout.nodes, (node) => (node.name.toLowerCase().includes(wanted) ? 1 : 0));
}

/** Nodes that match and those that they are below. */
export function withAncestors({ parent }: Layout, matches: Uint8Array): Uint8Array {
  const kept = Uint8Array.from(matches);
  // Parents come before their children.
  for (let node = kept.length - 1; node >= 0; node--) if (kept[node] === 1 && parent[node] >= 0) kept[parent[node]] = 1;
  return kept;
}

/** The value in the outermost of the nodes that match: what they are of the whole, none of it twice. */
export function valueOf(layout: Layout, matches: Uint8Array): number {
  const covered = new Uint8Array(layout.nodes.length);
  let sum = 0;
  layout.nodes.forEach((node, i) => {
    const above = layout.parent[i];
    const inside = above >= 0 && covered[above] === 1;
    covered[i] = inside || matches[i] === 1 ? 1 : 0;
    if (matches[i] === 1 && !inside) sum += node.value;
  });
  return sum;
}

/** What calls a key, or what it calls, at once: the nodes below the top of such a picture. */
export function neighbours(nodes: readonly FlameNode[]): FlameEntry[] {
  return nodes.filter((node) => node.parent === 0).map(({ name, kind, value, own, count }) => ({ name, kind, total: value, own: own ?? 0, count }));
}

export type FlameSort = 'own' | 'total' | 'count' | 'name';

export function sortEntries(entries: readonly FlameEntry[], sort: FlameSort): FlameEntry[] {
  const byName = (one: FlameEntry, other: FlameEntry) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
  return [...entries].sort((one, other) => (sort === 'name' ? 0 : other[sort] - one[sort]) || byName(one, other));
}

const BARE = /^[\p{L}\p{N}_][\p{L}\p{N}_.@/+-]*$/u;
const WORDS = ['AND', 'OR', 'NOT'];

/** A value of the search language that stands for exactly this text. */
export function quoted(text: string): string {
  return BARE.test(text) && !WORDS.includes(text) ? text : `"${text.replace(/[*"\\]/g, '\\$&')}"`;
}

/** What spans without an agent or model are called. */
export const NONE = '(none)';

/** The search for the runs of a picture that have a span of a name, agent or model. */
export function runsWith(q: string, by: FlameGroup, key: string): string {
  const term = key === NONE && by !== 'name' ? `span(-has:${by})` : `span(${by}:${quoted(key)})`;
  if (!q.trim()) return term;
  return /\bOR\b/.test(q) ? `(${q.trim()}) ${term}` : `${q.trim()} ${term}`;
}
