import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import type { SpanSkeleton } from './spans';
import { buildTree, isGroup, nodeId, syntheticOf } from './tree';

let counter = 0; // later spans start later
function span(name: string, fields: Partial<SpanSkeleton> = {}): SpanSkeleton {
  const start_ns = counter++ * 10;
  return { span_id: `${name}${counter}`, parent_span_id: 'root', name, kind: 'tool', status: 'completed', start_ns, end_ns: start_ns + 5, ...fields };
}
const root = (): SpanSkeleton => ({ ...span('root'), span_id: 'root', parent_span_id: null });
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

function groups(spans: SpanSkeleton[]) {
  const store = storeOf(spans);
  const tree = buildTree(store);
  return tree.synthetic.flatMap((group, i) => {
    const members = Array.from(tree.preorder).filter((node) => tree.parent[node] === tree.spanCount + i);
    return group.type === 'missing' ? [] : [{ type: group.type, members: members.map((node) => nodeId(tree, store, node)) }];
  });
}

describe('repeats', () => {
  it('are five equal leaf siblings in a row, or more', () => {
    expect(groups([root(), ...times(4, () => span('read'))])).toEqual([]);
    const five = times(5, () => span('read'));
    expect(groups([root(), ...five, span('plan')])).toEqual([{ type: 'repeat', members: five.map((each) => each.span_id) }]);
  });

  it('end where another sibling, kind or parent comes between', () => {
    expect(groups([root(), ...times(3, () => span('read')), span('write'), ...times(3, () => span('read'))])).toEqual([]);
    expect(groups([root(), ...times(3, () => span('read')), ...times(3, () => span('read', { kind: 'llm' }))])).toEqual([]);
  });

  it('leave out spans that have children', () => {
    const calls = times(6, () => span('call'));
    expect(groups([root(), ...calls, span('inner', { parent_span_id: calls[3].span_id })])).toEqual([]);
  });

  it('lie where their first member was, reach to the end of the last, and are named after the first', () => {
    const plan = span('plan');
    const five = times(5, () => span('read'));
    const store = storeOf([root(), plan, ...five, span('write')]);
    const tree = buildTree(store);
    expect(Array.from(tree.preorder, (node) => [tree.depth[node], nodeId(tree, store, node).replace(/\d+/, '')]).slice(0, 4)).toEqual([
      [0, 'root'], [1, 'plan'], [1, 'repeat:read'], [2, 'read'],
    ]);
    const group = tree.spanCount;
    expect(syntheticOf(tree, group)).toEqual({ type: 'repeat', id: `repeat:${five[0].span_id}`, count: 5, name: 'read' });
    expect([tree.start[group], tree.end[group]]).toEqual([five[0].start_ns, five[4].end_ns]);
    expect(tree.size[group]).toBe(6);
  });

  it('count their errors, and end no sooner than a member that still runs', () => {
    const five = times(5, (i) => span('read', i === 2 ? { status: 'failed' } : i === 4 ? { status: 'running', end_ns: null } : {}));
    const tree = buildTree(storeOf([root(), ...five]));
    expect(tree.errorsBelow[tree.spanCount]).toBe(1);
    expect(tree.end[tree.spanCount]).toBeNaN();
  });
});

describe('attempts', () => {
  it('are the numbered tries of one step, also with other work between', () => {
    const [first, second, third] = times(3, (i) => span('fetch', { attempt: i + 1, status: i < 2 ? 'failed' : 'completed' }));
    expect(groups([root(), first, span('note'), second, span('note'), third])).toEqual([
      { type: 'attempts', members: [first.span_id, second.span_id, third.span_id] },
    ]);
  });

  it('of parallel steps with one name stay apart', () => {
    const [a1, b1, a2, b2] = [1, 1, 2, 2].map((attempt) => span('fetch', { attempt }));
    expect(groups([root(), a1, b1, a2, b2]).map((group) => group.members)).toEqual([
      [a1.span_id, a2.span_id], [b1.span_id, b2.span_id],
    ]);
  });

  it('of one managed task belong together whatever they are called', () => {
    const tries = times(2, (i) => span(`try${i}-`, { task_id: 'task', attempt: i + 1 }));
    expect(groups([root(), ...tries])).toEqual([{ type: 'attempts', members: tries.map((each) => each.span_id) }]);
  });

  it('are model calls that failed and were made again at once', () => {
    const calls = times(3, (i) => span('chat', { kind: 'llm', model: 'm', status: i < 2 ? 'failed' : 'completed' }));
    expect(groups([root(), ...calls, span('chat', { kind: 'llm', model: 'm' })])).toEqual([
      { type: 'attempts', members: calls.map((each) => each.span_id) },
    ]);
    const unnamed = [span('chat', { kind: 'llm', status: 'failed' }), span('chat', { kind: 'llm', model: 'm' })];
    expect(groups([root(), ...unnamed])).toHaveLength(1);
    const others = [span('chat', { kind: 'llm', model: 'm', status: 'failed' }), span('chat', { kind: 'llm', model: 'other' })];
    expect(groups([root(), ...others])).toEqual([]);
  });
});

describe('groups of any run', () => {
  it('do not depend on the order of arrival', () => {
    fc.assert(fc.property(runs, (spans) => {
      const sorted = (list: ReturnType<typeof groups>) => list.map((group) => JSON.stringify(group)).sort();
      expect(sorted(groups([...spans].reverse()))).toEqual(sorted(groups(spans)));
    }));
  });

  it('hold each span at most once, and only siblings', () => {
    fc.assert(fc.property(runs, (spans) => {
      const store = storeOf(spans);
      const tree = buildTree(store);
      for (let node = tree.spanCount; node < tree.nodeCount; node++) {
        if (!isGroup(tree, node)) continue;
        expect(tree.size[node]).toBeGreaterThan(2);
        const above = tree.parent[node];
        expect(above >= 0 && isGroup(tree, above)).toBe(false);
      }
    }));
  });
});
