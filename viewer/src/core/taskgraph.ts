/** The tasks around one task: those it waits for, those that wait for it, and theirs in turn. */

import type { GraphEdge } from './graph';
import type { DependencyState } from './task';

export interface NeighbourTask {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly dependencies: readonly DependencyState[];
  readonly dependents: readonly DependencyState[];
}

export interface TaskNode {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

export interface TaskEdge extends GraphEdge {
  /** The field of the input that takes the result. */
  readonly outputAs: string | null;
}

export interface TaskGraph {
  readonly nodes: readonly TaskNode[];
  readonly edges: readonly TaskEdge[];
  /** How many more neighbours of the task itself there are than are drawn. */
  readonly left: number;
}

/** What is known of the tasks around `centre`, at most `most` of them; nearer ones first. */
export function taskGraph(centre: NeighbourTask, others: readonly NeighbourTask[], most: number): TaskGraph {
  const known = new Map([centre, ...others].map((task) => [task.id, task]));
  const nodes = new Map<string, TaskNode>();
  const edges = new Map<string, TaskEdge>();
  let left = 0;
  const put = (node: TaskNode): boolean => {
    if (!nodes.has(node.id) && nodes.size >= most) return false;
    const { id, name, status } = known.get(node.id) ?? node;
    nodes.set(id, { id, name, status });
    return true;
  };
  put(centre);
  for (const id of nodes.keys()) { // a Map's keys go on while it grows
    const task = known.get(id);
    if (!task) continue;
    for (const edge of neighbours(task)) {
      if (put(edge.node)) edges.set(`${edge.from} ${edge.to}`, { from: edge.from, to: edge.to, outputAs: edge.outputAs });
      else if (task === centre) left++;
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()], left };
}

function* neighbours(task: NeighbourTask): Generator<TaskEdge & { node: TaskNode }> {
  for (const { task_id, name, status, output_as } of task.dependencies) {
    yield { from: task_id, to: task.id, outputAs: output_as ?? null, node: { id: task_id, name, status } };
  }
  for (const { task_id, name, status, output_as } of task.dependents) {
    yield { from: task.id, to: task_id, outputAs: output_as ?? null, node: { id: task_id, name, status } };
  }
}

/** Tasks that are drawn but of which it is not known what they are joined to. */
export function unknownIds(graph: TaskGraph, known: ReadonlySet<string>): string[] {
  return graph.nodes.filter((node) => !known.has(node.id) && node.status !== 'deleted').map((node) => node.id);
}
