/** The task board: columns by status, and what putting a task into another column asks for. */

import { actionsOf, type Task, type TaskAction, type Transition } from './task';

export interface BoardColumn {
  readonly id: string;
  readonly title: string;
  readonly statuses: readonly string[];
}

/** From what waits to what is over. A worker has, or is about to have, everything that runs. */
export const COLUMNS: readonly BoardColumn[] = [
  { id: 'blocked', title: 'Blocked', statuses: ['blocked'] },
  { id: 'pending', title: 'Pending', statuses: ['pending'] },
  { id: 'running', title: 'Running', statuses: ['assigned', 'in_progress'] },
  { id: 'review', title: 'Review', statuses: ['review'] },
  { id: 'paused', title: 'Paused', statuses: ['paused'] },
  { id: 'failed', title: 'Failed', statuses: ['failed'] },
  { id: 'completed', title: 'Completed', statuses: ['completed'] },
  { id: 'cancelled', title: 'Cancelled', statuses: ['cancelled'] },
];

/** The columns that filters leave: those with one of the wanted statuses, all when none is named. */
export function shownColumns(statuses: readonly string[]): readonly BoardColumn[] {
  if (statuses.length === 0) return COLUMNS;
  return COLUMNS.filter((column) => column.statuses.some((status) => statuses.includes(status)));
}

/** The statuses a column asks for under filters that name some. */
export function columnStatuses(column: BoardColumn, statuses: readonly string[]): string[] {
  return column.statuses.filter((status) => statuses.length === 0 || statuses.includes(status));
}

/** How many tasks a column has, from the counts by status. */
export function columnCount(column: BoardColumn, counts: ReadonlyMap<string, number>): number {
  return column.statuses.reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
}

export function columnOf(status: string): string | null {
  return COLUMNS.find((column) => column.statuses.includes(status))?.id ?? null;
}

const WANTED_BY: Record<string, readonly TaskAction[]> = {
  pending: ['resume', 'retry', 'run'],
  running: ['resume', 'retry', 'run'],
  paused: ['pause'],
  cancelled: ['cancel'],
};

/** What dropping a task on a column asks for; null when nothing a person may ask for leads there. */
export function dropAction(task: Pick<Task, 'status' | 'pause_requested' | 'cancel_requested'>, column: string): TaskAction | null {
  if (columnOf(task.status) === column) return null;
  const offered = actionsOf(task);
  return WANTED_BY[column]?.find((action) => offered.includes(action)) ?? null;
}

/** The columns whose tasks changed. */
export function touchedColumns(transitions: readonly Pick<Transition, 'from_status' | 'to_status'>[]): Set<string> {
  const touched = new Set<string>();
  for (const { from_status, to_status } of transitions) {
    for (const status of [from_status, to_status]) {
      const column = status && columnOf(status);
      if (column) touched.add(column);
    }
  }
  return touched;
}
