/**
 * The rows of the task list while tasks change under the reader.
 *
 * After changes the page asks again for the first page and for the rows on screen. Rows take their new content where
 * they stand; new rows are put in, and rows that no longer belong taken out, only when nothing would jump under the
 * pointer. What is held back is counted.
 */

import type { Task } from './task';

export class TaskRows {
  /** In the collector's order; a new array after every change. */
  rows: Task[] = [];
  nextCursor: string | null = null;
  private pending: { tasks: readonly Task[]; nextCursor: string | null } | null = null;
  private readonly leaving = new Set<string>();

  /** New tasks that wait to be let in. */
  get waitingCount(): number {
    const held = new Set(this.rows.map((row) => row.id));
    return this.pending?.tasks.filter((task) => !held.has(task.id)).length ?? 0;
  }

  /** A first page replaces everything. */
  loadFirst(tasks: readonly Task[], nextCursor: string | null): void {
    this.pending = null;
    this.leaving.clear();
    this.rows = [...tasks];
    this.nextCursor = nextCursor;
  }

  loadMore(tasks: readonly Task[], nextCursor: string | null): void {
    const held = new Set(this.rows.map((row) => row.id));
    this.rows = [...this.rows, ...tasks.filter((task) => !held.has(task.id))];
    this.nextCursor = nextCursor;
  }

  /** A first page asked for again. hold: nothing may move now. */
  refreshFirst(tasks: readonly Task[], nextCursor: string | null, hold: boolean): void {
    this.pending = { tasks, nextCursor };
    this.takeContent(tasks);
    if (!hold) this.release();
  }

  /** Rows asked for again by their ids; those of `asked` that did not come no longer belong here. */
  refreshRows(asked: readonly string[], tasks: readonly Task[], hold: boolean): void {
    const came = new Set(tasks.map((task) => task.id));
    for (const id of asked) if (!came.has(id)) this.leaving.add(id);
    this.takeContent(tasks);
    if (!hold) this.release();
  }

  /** Lets in and takes out what was held back. */
  release(): void {
    if (this.leaving.size > 0) this.rows = this.rows.filter((row) => !this.leaving.has(row.id));
    this.leaving.clear();
    if (this.pending) this.putFirst(this.pending.tasks, this.pending.nextCursor);
    this.pending = null;
  }

  private takeContent(tasks: readonly Task[]): void {
    const fresh = new Map(tasks.map((task) => [task.id, task]));
    this.rows = this.rows.map((row) => fresh.get(row.id) ?? row);
  }

  // The first page says everything about the list down to its last row; what was loaded further down stays below it.
  // A page that shares no row with what is held may leave a gap before it, so then the list begins anew.
  private putFirst(tasks: readonly Task[], nextCursor: string | null): void {
    const came = new Set(tasks.map((task) => task.id));
    const lastShared = tasks.findLast((task) => this.rows.some((row) => row.id === task.id));
    const cut = lastShared ? this.rows.findIndex((row) => row.id === lastShared.id) : this.rows.length;
    const rest = nextCursor === null ? [] : this.rows.slice(cut + 1).filter((row) => !came.has(row.id));
    if (rest.length === 0) this.nextCursor = nextCursor;
    this.rows = [...tasks, ...rest];
  }
}

/** The selection after `x` on a row: in, or out when it was in. */
export function toggleSelected(selected: ReadonlySet<string>, id: string): Set<string> {
  const next = new Set(selected);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** The selection with all rows between two of them, both included. */
export function selectRange(selected: ReadonlySet<string>, ids: readonly string[], from: string, to: string): Set<string> {
  const [a, b] = [ids.indexOf(from), ids.indexOf(to)];
  if (b < 0) return new Set(selected);
  const [first, last] = a < 0 ? [b, b] : [Math.min(a, b), Math.max(a, b)];
  return new Set([...selected, ...ids.slice(first, last + 1)]);
}
