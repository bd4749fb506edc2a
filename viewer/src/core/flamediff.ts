/**
 * Two pictures as one: every path of either, as wide as it is in the newer one, with what it was before.
 *
 * Figures of two sets of runs are compared per run, since the sets need not be of one size.
 */

import type { Flame, FlameNode } from './flame';

/** A node of both pictures. before, after: its value per run. */
export interface DiffNode extends FlameNode {
  before: number;
  after: number;
}

/** All spans of one name in both. before, after: what is its own, per run. */
export interface DiffEntry {
  readonly name: string;
  readonly kind: string;
  readonly before: number;
  readonly after: number;
  readonly delta: number;
}

interface Merged {
  readonly name: string;
  kind: string;
  value: number;
  own: number;
  count: number;
  before: number;
  after: number;
  readonly children: Map<string, Merged>;
}

type Folded = Pick<Flame, 'nodes' | 'run_count'>;

/** Parents before children, the widest of siblings first; what is gone has no width and comes last. */
export function mergeFlames(before: Folded, after: Folded): DiffNode[] {
  const top = new Map<string, Merged>();
  add(top, after, (merged, node) => {
    merged.value += node.value;
    merged.own += node.own ?? 0;
    merged.count += node.count;
    merged.kind = node.kind;
    merged.after += node.value / Math.max(after.run_count, 1);
  });
  add(top, before, (merged, node) => void (merged.before += node.value / Math.max(before.run_count, 1)));
  return inOrder(top);
}

function add(top: Map<string, Merged>, { nodes }: Folded, note: (merged: Merged, node: FlameNode) => void): void {
  const places: Merged[] = [];
  for (const node of nodes) {
    const siblings = node.parent === undefined ? top : places[node.parent].children;
    let merged = siblings.get(node.name);
    if (!merged) {
      merged = { name: node.name, kind: node.kind, value: 0, own: 0, count: 0, before: 0, after: 0, children: new Map() };
      siblings.set(node.name, merged);
    }
    note(merged, node);
    places.push(merged);
  }
}

/** Level by level, as the collector sends a picture. */
function inOrder(top: Map<string, Merged>): DiffNode[] {
  const nodes: DiffNode[] = [];
  let level = sorted(top).map((merged) => ({ merged, parent: undefined as number | undefined }));
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { merged, parent } of level) {
      const { children, ...node } = merged;
      for (const child of sorted(children)) next.push({ merged: child, parent: nodes.length });
      nodes.push({ ...node, parent });
    }
    level = next;
  }
  return nodes;
}

const sorted = (siblings: Map<string, Merged>): Merged[] => [...siblings.values()].sort((one, other) => other.value - one.value || other.before - one.before);

/** Names by how much what is their own has changed, the most first. */
export function diffEntries(before: Pick<Flame, 'table' | 'run_count'>, after: Pick<Flame, 'table' | 'run_count'>): DiffEntry[] {
  const rows = new Map<string, { kind: string; before: number; after: number }>();
  for (const [side, { table, run_count: runs }] of [['before', before], ['after', after]] as const) {
    for (const { name, kind, own } of table) {
      const row = rows.get(name) ?? { kind, before: 0, after: 0 };
      row[side] += own / Math.max(runs, 1);
      rows.set(name, row);
    }
  }
  const entries = Array.from(rows, ([name, row]) => ({ name, ...row, delta: row.after - row.before }));
  return entries.sort((one, other) => Math.abs(other.delta) - Math.abs(one.delta) || (one.name < other.name ? -1 : 1));
}

/** How much there is more (to 1: all of it is new) or less (to -1: all of it is gone). */
export function changeOf({ before, after }: Pick<DiffNode, 'before' | 'after'>): number {
  const most = Math.max(before, after);
  return most > 0 ? (after - before) / most : 0;
}

export const isDiff = (node: FlameNode | null): node is DiffNode => node !== null && 'before' in node;

const SINCE = /^now-(\d+)([smhdw])$/;

/** The time as long as one and just before it: that of "the last 24 hours" is the day before; any time where there is none. */
export function periodBefore(from: string, to: string): { from: string; to: string } {
  const since = SINCE.exec(from);
  if (since && (to === '' || to === 'now')) return { from: `now-${2 * Number(since[1])}${since[2]}`, to: from };
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (!(end > start)) return { from: '', to: '' };
  return { from: new Date(start - (end - start)).toISOString(), to: from };
}
