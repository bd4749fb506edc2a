import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boxesOf, layoutFlame, matchNodes, neighbours, nodeAt, nodeOfPath, panWindow, pathOf, preorder, quoted, runsWith, sortEntries, subtree, valueOf, walk, WHOLE, windowWith, withAncestors, zoomWindow, type FlameNode } from './flame';
import { formatFlameView, parseFlameView, shareOf, type FlameView } from './flameview';

/** A tree as the collector sends it: by depth, siblings by value and of different names, none wider than its parent. */
const trees: fc.Arbitrary<FlameNode[]> = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 40 }).map((drawn) => {
  const made = drawn.map(([above, own], i) => ({ parent: i === 0 ? -1 : above % i, own, depth: 0, value: own, name: `n${i}` }));
  for (const one of made) one.depth = one.parent < 0 ? 0 : made[one.parent].depth + 1;
  for (const one of [...made].reverse()) if (one.parent >= 0) made[one.parent].value += one.value;
  const order = made.map((_, i) => i).sort((a, b) => made[a].depth - made[b].depth || made[b].value - made[a].value || a - b);
  const place = new Map(order.map((i, at) => [i, at]));
  return order.map((i): FlameNode => ({ name: made[i].name, kind: 'task', value: made[i].value, own: made[i].own, count: 1, parent: made[i].parent < 0 ? undefined : place.get(made[i].parent) }));
});

describe('the picture', () => {
  test('children lie within their parents and beside each other, as wide as their values', () => {
    fc.assert(
      fc.property(trees, (nodes) => {
        const layout = layoutFlame(nodes);
        nodes.forEach((node, i) => {
          const above = layout.parent[i];
          expect(layout.to[i] - layout.from[i]).toBeCloseTo(node.value / layout.total, 9);
          if (above >= 0) expect(layout.from[i] >= layout.from[above] && layout.to[i] <= layout.to[above]).toBe(true);
        });
        for (const members of layout.levels) {
          members.forEach((node, i) => expect(i === 0 || layout.to[members[i - 1]] <= layout.from[node] + 1e-12).toBe(true));
        }
      }),
    );
  });

  test('boxes of a level do not overlap, and what is wide enough has one of its own', () => {
    fc.assert(
      fc.property(trees, fc.integer({ min: 5, max: 300 }), (nodes, width) => {
        const layout = layoutFlame(nodes);
        layout.levels.forEach((members, level) => {
          const boxes = boxesOf(layout, level, WHOLE, width);
          boxes.forEach((box, i) => expect(i === 0 || boxes[i - 1].x < box.x).toBe(true));
          const wide = [...members].filter((node) => (layout.to[node] - layout.from[node]) * width >= 1.5);
          expect(boxes.filter((box) => box.node >= 0).map((box) => box.node)).toEqual(wide);
        });
      }),
    );
  });

  test('a node is found where it lies, and by its path', () => {
    fc.assert(
      fc.property(trees, (nodes) => {
        const layout = layoutFlame(nodes);
        return nodes.every((_, i) => nodeAt(layout, layout.depth[i], (layout.from[i] + layout.to[i]) / 2) === i && nodeOfPath(layout, pathOf(layout, i)) === i);
      }),
    );
  });

  test('in reading order every node stands once, after its parent', () => {
    fc.assert(
      fc.property(trees, (nodes) => {
        const layout = layoutFlame(nodes);
        const order = preorder(layout);
        expect([...order].sort((one, other) => one - other)).toEqual(nodes.map((_, i) => i));
        expect(order.every((node, i) => layout.parent[node] < 0 || order.indexOf(layout.parent[node]) < i)).toBe(true);
      }),
    );
  });

  test('a subtree is the picture below its node', () => {
    fc.assert(
      fc.property(trees, fc.nat(), (nodes, drawn) => {
        const root = drawn % nodes.length;
        const layout = layoutFlame(subtree(nodes, root));
        expect(layout.nodes[0].name).toBe(nodes[root].name);
        expect(layout.total).toBe(nodes[root].value);
        expect(layout.nodes.reduce((sum, node) => sum + (node.own ?? 0), 0)).toBe(nodes[root].value);
      }),
    );
  });
});

describe('moving', () => {
  test('down leads to a child, up back, and sideways along the level', () => {
    fc.assert(
      fc.property(trees, (nodes) => {
        const layout = layoutFlame(nodes);
        return nodes.every((_, i) => {
          const down = walk(layout, i, 'down');
          const right = walk(layout, i, 'right');
          return (down === i || layout.parent[down] === i) && (right === i || walk(layout, right, 'left') === i);
        });
      }),
    );
  });

  test('windows stay within the whole, and a node can be brought into one', () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.double({ min: 0.01, max: 3, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (nodes, drawn, factor, at) => {
        const layout = layoutFlame(nodes);
        const node = drawn % nodes.length;
        const zoomed = panWindow(zoomWindow(WHOLE, factor, at), at - 0.5);
        const moved = windowWith(layout, node, zoomed);
        for (const { from, to } of [zoomed, moved]) expect(from >= -1e-9 && to <= 1 + 1e-9 && to > from).toBe(true);
        expect(layout.from[node] >= moved.from - 1e-9 && layout.to[node] <= moved.to + 1e-9).toBe(true);
      }),
    );
  });
});

test('what matches counts once, though it is below itself', () => {
  const nodes: FlameNode[] = [
    { name: 'run', kind: 'agent', value: 10, count: 1 },
    { name: 'ask', kind: 'llm', value: 7, count: 2, parent: 0 },
    { name: 'ask again', kind: 'llm', value: 3, count: 1, own: 3, parent: 1 },
  ];
  const layout = layoutFlame(nodes);
  expect(valueOf(layout, matchNodes(layout, 'ASK') as Uint8Array)).toBe(7);
  expect([...withAncestors(layout, matchNodes(layout, 'again') as Uint8Array)]).toEqual([1, 1, 1]);
  expect(matchNodes(layout, ' ')).toBeNull();
  expect(neighbours(nodes)).toEqual([{ name: 'ask', kind: 'llm', total: 7, own: 0, count: 2 }]);
});

test('a part of the whole is told in percent', () => {
  expect([shareOf(1, 3), shareOf(1, 40), shareOf(1, 5000), shareOf(0, 3), shareOf(1, 0)]).toEqual(['33 %', '2.5 %', '<0.1 %', '0 %', '']);
});

test('entries are sorted, those that are equal by name', () => {
  const entry = (name: string, own: number, count: number) => ({ name, kind: 'task', own, total: own, count });
  const entries = [entry('b', 1, 2), entry('a', 1, 5), entry('c', 3, 1)];
  expect(sortEntries(entries, 'own').map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  expect(sortEntries(entries, 'count').map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect(sortEntries(entries, 'name').map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('runs with a name are searched for, whatever the name', () => {
  expect(runsWith('', 'name', 'chat gpt-4o')).toBe('span(name:"chat gpt-4o")');
  expect(runsWith('status:failed', 'agent', 'writer')).toBe('status:failed span(agent:writer)');
  expect(runsWith('a OR b', 'model', '(none)')).toBe('(a OR b) span(-has:model)');
  expect([quoted('say "*"'), quoted('OR'), quoted('read_file')]).toEqual(['"say \\"\\*\\""', '"OR"', 'read_file']);
});

test('what an address carries comes back from it', () => {
  const names = fc.array(fc.string({ minLength: 1 }).filter((name) => name.isWellFormed()), { maxLength: 4 });
  const text = fc.string().filter((drawn) => drawn.isWellFormed());
  const view: fc.Arbitrary<FlameView> = fc.record({
    base: fc.option(fc.record({ q: text, from: fc.constantFrom('', 'now-48h'), to: fc.constantFrom('', 'now-24h') })),
    q: text, from: fc.constantFrom('', 'now-24h'), to: fc.constantFrom('', 'now'), find: text,
    metric: fc.constantFrom('time' as const, 'errors' as const), by: fc.constantFrom('name' as const, 'model' as const),
    runs: fc.constantFrom(1000, 50), focus: names, node: names, key: fc.constantFrom(null, 'ask'),
    window: fc.constantFrom(null, { from: 0.25, to: 0.5 }), sort: fc.constantFrom('own' as const, 'count' as const), table: fc.boolean(),
  });
  fc.assert(
    fc.property(view, (drawn) => {
      expect(parseFlameView(formatFlameView(drawn))).toEqual(drawn);
    }),
  );
});
