import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskGraph, unknownIds, type NeighbourTask } from './taskgraph';

const joined = (ids: readonly number[]) => ids.map((n) => ({ task_id: `t${n}`, name: `task ${n}`, status: 'completed' }));
/** A chain or fan: task n waits for those in `before`. */
const graphs = fc.array(fc.subarray([0, 1, 2, 3, 4, 5]), { minLength: 6, maxLength: 6 }).map((upstreams) =>
  upstreams.map((before, n): NeighbourTask => ({
    id: `t${n}`, name: `task ${n}`, status: 'pending',
    dependencies: joined(before.filter((other) => other < n)),
    dependents: joined([0, 1, 2, 3, 4, 5].filter((other) => other > n && upstreams[other].includes(n))),
  })),
);

describe('tasks around a task', () => {
  it('are drawn once, with edges between drawn ones only, never too many', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 8 }), (tasks, most) => {
        const graph = taskGraph(tasks[0], tasks.slice(1), most);
        const ids = graph.nodes.map((node) => node.id);
        expect(ids.length).toBeLessThanOrEqual(most);
        expect(new Set(ids).size).toBe(ids.length);
        for (const edge of graph.edges) expect(ids.includes(edge.from) && ids.includes(edge.to)).toBe(true);
      }),
    );
  });

  it('have every edge that touches the task itself, or count it as left', () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 8 }), (tasks, most) => {
        const graph = taskGraph(tasks[3], [], most);
        const own = tasks[3].dependencies.length + tasks[3].dependents.length;
        expect(graph.edges.length + graph.left).toBe(own);
      }),
    );
  });

  it('name what is not known yet, deleted ones never', () => {
    const centre = { id: 'c', name: 'c', status: 'blocked', dependencies: joined([1]), dependents: [{ task_id: 'gone', name: 'x', status: 'deleted' }] };
    expect(unknownIds(taskGraph(centre, [], 10), new Set(['c']))).toEqual(['t1']);
  });
});
