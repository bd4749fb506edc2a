/** What a reader sees of a run: the same after any order of live messages as after a fresh load. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ORIGIN, runs } from './arbitraries';
import { hasRowsBelow, visibleRows, withAncestors } from './rows';
import { groupText } from './rowtext';
import { SpanStore, type SpanSkeleton } from './spans';
import { buildTree, nodeId, type Tree } from './tree';

interface Folding {
  /** Ids of what was closed. */
  closed: readonly string[];
  /** The name that a filter keeps; null: no filter. */
  only: string | null;
}

/** The rows as text: level, id, what a group says, whether it can be opened. */
function picture(store: SpanStore, { closed, only }: Folding): string[] {
  const tree = buildTree(store);
  const kept = only === null ? null : withAncestors(tree, (row) => store.nameOf(row) === only);
  const rows = visibleRows(tree, { isCollapsed: (node) => closed.includes(nodeId(tree, store, node)), kept });
  return Array.from(rows, (node) => describeRow(store, tree, node, kept));
}

function describeRow(store: SpanStore, tree: Tree, node: number, kept: Uint8Array | null): string {
  const facts = [nodeId(tree, store, node), groupText(tree, node), tree.start[node], tree.end[node], tree.errorsBelow[node]];
  return `${'  '.repeat(tree.depth[node])}${facts.join(' ')}${hasRowsBelow(tree, kept, node) ? ' +' : ''}`;
}

function loaded(spans: readonly SpanSkeleton[]): SpanStore {
  const store = new SpanStore();
  store.apply(ORIGIN, spans);
  return store;
}

/** Every report of a span, twice, in any order, with a stale full load among them. */
function streamed(spans: readonly SpanSkeleton[], keys: Iterator<number>): SpanStore {
  const reports = spans.flatMap((span) => [{ ...span, status: 'running', end_ns: null }, span, span]);
  const keyed = reports.map((report) => ({ report, key: keys.next().value as number })).sort((a, b) => a.key - b.key);
  const store = new SpanStore();
  keyed.forEach(({ report }, i) => {
    if (i === keyed.length >> 1) store.apply(ORIGIN, spans.map((span) => ({ ...span, status: 'running', end_ns: null })));
    store.apply(ORIGIN, [report]);
    if (i % 5 === 0) buildTree(store); // a picture on the way must leave nothing behind
  });
  return store;
}

const keys = fc.infiniteStream(fc.nat(1_000_000));
const foldings = fc.record({
  closed: fc.array(fc.integer({ min: 0, max: 30 }).map((n) => n.toString(16).padStart(16, '0')), { maxLength: 8 }),
  only: fc.option(fc.constantFrom('plan', 'read')),
});
/** Many equal siblings, so that groups form and part again while spans arrive. */
const crowds = fc.array(fc.constantFrom('read', 'read', 'read', 'plan'), { minLength: 5, maxLength: 20 }).map((names) =>
  names.map((name, i): SpanSkeleton => ({
    span_id: i.toString(16).padStart(16, '0'), parent_span_id: i === 0 ? null : '0'.repeat(16), name, kind: 'tool',
    status: i % 7 === 6 ? 'failed' : 'completed', start_ns: i, end_ns: i + 10,
  })),
);

describe('rows of a live run', () => {
  it('are those of a fresh load, whatever order, repetition or stale load they came by', () => {
    fc.assert(
      fc.property(fc.oneof(runs, crowds), keys, foldings, (spans, stream, folding) => {
        expect(picture(streamed(spans, stream), folding)).toEqual(picture(loaded(spans), folding));
      }),
    );
  });

  it('keep the order that siblings have while more arrive', () => {
    fc.assert(
      fc.property(runs, fc.nat(31), (spans, most) => {
        const plain = spans.map((span) => ({ ...span, attempt: null }));
        const [before, after] = [siblingsOf(loaded(plain.slice(0, most))), siblingsOf(loaded(plain))];
        for (const [above, ids] of before) expect(after.get(above)?.filter((id) => ids.includes(id))).toEqual(ids);
      }),
    );
  });
});

/** The ids below each parent, in the tree's order. */
function siblingsOf(store: SpanStore): Map<string | null, string[]> {
  const tree = buildTree(store);
  const siblings = new Map<string | null, string[]>();
  for (const node of tree.preorder) {
    if (node >= tree.spanCount) continue;
    const above = store.parents[node];
    siblings.set(above, [...(siblings.get(above) ?? []), store.ids[node]]);
  }
  return siblings;
}
