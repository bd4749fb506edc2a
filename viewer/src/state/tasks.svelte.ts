/** The tasks' page: rows or columns, counts, the selection, and what changes while somebody looks. */

import { untrack } from 'svelte';
import { ApiError } from '../api/client';
import { fetchCounts, fetchTasks, type GroupCount } from '../api/controller';
import { columnStatuses, COLUMNS, shownColumns, touchedColumns } from '../core/board';
import type { Task, Transition } from '../core/task';
import { formatTaskView, parseTaskView, type TaskView } from '../core/taskfilters';
import { selectRange, TaskRows, toggleSelected } from '../core/tasklist';
import { announcer } from './announcer.svelte';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Reasons for waiting change without a transition: a worker comes, a rate allows more. */
const IDLE_MS = 5_000;
const CARDS = 30;
const MOST_SHOWN = 200;

export class TasksModel {
  readonly view: TaskView;
  rows = $state.raw<Task[]>([]);
  /** Cards of each column of the board. */
  cards = $state.raw<ReadonlyMap<string, readonly Task[]>>(new Map());
  statusCounts = $state.raw<ReadonlyMap<string, number>>(new Map());
  groups = $state.raw<readonly GroupCount[]>([]);
  waiting = $state(0);
  more = $state(false);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);
  currentId = $state<string | null>(null);
  selected = $state.raw<ReadonlySet<string>>(new Set());
  scrollTop = 0;
  /** Rows on screen, for asking about them again. */
  shown: { first: number; count: number } = { first: 0, count: 0 };

  private readonly list = new TaskRows();
  private readonly touched = new Set<string>();
  private refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
  private stop: (() => void) | null = null;
  private aborter = new AbortController();
  private fetchingMore = false;
  private loadedOnce = false;
  private pointerOver = false;
  private anchorId: string | null = null;

  constructor(readonly search: string) {
    this.view = parseTaskView(search);
  }

  async open(): Promise<void> {
    this.aborter = new AbortController();
    this.pointerOver = false;
    this.refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
    // What happens before the stream is open is asked for again once it is.
    this.stop = live.stream.follow(
      { tasks: true },
      { hello: live.greet, tasks: (transitions) => this.changed(transitions), gap: () => this.changedAll() },
      null,
    );
    this.touchAll();
    await untrack(() => this.refresher.now()); // what it reads is not what opening depends on
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  /** Everything on screen, again. */
  changedAll(): void {
    this.touchAll();
    this.refresher.ask();
  }

  /** All tasks that the filters name. */
  get total(): number {
    const { status } = this.view.filters;
    let sum = 0;
    for (const [name, count] of this.statusCounts) if (status.length === 0 || status.includes(name)) sum += count;
    return sum;
  }

  get currentIndex(): number {
    return this.rows.findIndex((task) => task.id === this.currentId);
  }

  /** A task on screen. */
  find(id: string | null): Task | null {
    if (id === null) return null;
    return this.rows.find((task) => task.id === id) ?? [...this.cards.values()].flat().find((task) => task.id === id) ?? null;
  }

  /** range: all rows from the one chosen last up to this one. */
  toggle(id: string, range: boolean): void {
    const ids = this.rows.map((task) => task.id);
    this.selected = range ? selectRange(this.selected, ids, this.anchorId ?? id, id) : toggleSelected(this.selected, id);
    this.anchorId = id;
  }

  selectLoaded(): void {
    this.selected = new Set(this.rows.map((task) => task.id));
  }

  clearSelection(): void {
    this.selected = new Set();
  }

  /** While the pointer is over the rows none of them may move. */
  hold(over: boolean): void {
    this.pointerOver = over;
    if (!this.isHeld) this.release();
  }

  scrolled(top: number): void {
    this.scrollTop = top;
    if (!this.isHeld && this.waiting > 0) this.release();
  }

  release(): void {
    this.list.release();
    this.show();
  }

  async loadMore(): Promise<void> {
    if (this.fetchingMore || this.list.nextCursor === null) return;
    this.fetchingMore = true;
    const { signal } = this.aborter;
    try {
      const page = await fetchTasks({ ...this.query(), cursor: this.list.nextCursor }, signal);
      this.list.loadMore(page.tasks, page.next_cursor);
      this.failure = null;
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    } finally {
      this.fetchingMore = false;
    }
    this.show();
  }

  private get isHeld(): boolean {
    return this.pointerOver || this.scrollTop > 4;
  }

  private query() {
    return { filters: this.view.filters, sort: this.view.sort };
  }

  private changed(transitions: readonly Transition[]): void {
    for (const column of touchedColumns(transitions)) this.touched.add(column);
    this.refresher.ask();
  }

  private touchAll(): void {
    for (const column of COLUMNS) this.touched.add(column.id);
  }

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    this.loading = !this.loadedOnce;
    try {
      await Promise.all([this.loadCounts(signal), this.view.layout === 'board' ? this.loadBoard(signal) : this.loadRows(signal)]);
      this.loadedOnce = true;
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
    this.show();
  }

  private async loadCounts(signal: AbortSignal): Promise<void> {
    const { filters, group } = this.view;
    const [statuses, groups] = await Promise.all([
      fetchCounts({ ...filters, status: [] }, 'status', signal),
      group && fetchCounts({ ...filters, [group]: [] }, group, signal),
    ]);
    this.statusCounts = new Map(statuses.groups.map(({ value, count }) => [value ?? '', count]));
    this.groups = groups ? groups.groups : [];
  }

  private async loadRows(signal: AbortSignal): Promise<void> {
    const page = await fetchTasks(this.query(), signal);
    const before = this.list.waitingCount;
    if (this.loadedOnce) this.list.refreshFirst(page.tasks, page.next_cursor, this.isHeld);
    else this.list.loadFirst(page.tasks, page.next_cursor);
    await this.refreshBelow(new Set(page.tasks.map((task) => task.id)), signal);
    const added = this.list.waitingCount - before;
    if (added > 0) announcer.say(`${added} new ${added === 1 ? 'task' : 'tasks'}`);
  }

  /** Rows on screen that the first page did not bring. */
  private async refreshBelow(came: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { first, count } = this.shown;
    const onScreen = this.rows.slice(first, first + Math.min(count, MOST_SHOWN)).map((task) => task.id);
    const asked = onScreen.filter((id) => !came.has(id));
    if (asked.length === 0) return;
    const page = await fetchTasks({ ...this.query(), ids: asked, limit: asked.length }, signal);
    this.list.refreshRows(asked, page.tasks, this.isHeld);
  }

  private async loadBoard(signal: AbortSignal): Promise<void> {
    const { filters } = this.view;
    const wanted = shownColumns(filters.status).filter((column) => this.touched.has(column.id));
    this.touched.clear();
    const pages = await Promise.all(
      wanted.map((column) => {
        const status = columnStatuses(column, filters.status);
        return fetchTasks({ filters: { ...filters, status }, sort: '-updated_at', limit: CARDS }, signal);
      }),
    );
    this.cards = new Map([...this.cards, ...wanted.map((column, i) => [column.id, pages[i].tasks] as const)]);
  }

  private show(): void {
    if (!this.loadedOnce) return;
    this.rows = this.list.rows;
    this.waiting = this.list.waitingCount;
    this.more = this.list.nextCursor !== null;
  }
}

let kept: TasksModel | null = null;

/** The model for this address: the one left behind when there is one, so that Back restores rows and position. */
export function tasksModel(search: string): TasksModel {
  const canonical = formatTaskView(parseTaskView(search));
  if (kept?.search === canonical) return kept;
  const before = kept;
  kept = new TasksModel(canonical);
  if (before) {
    // The old picture stays until there is a new one.
    [kept.rows, kept.cards, kept.statusCounts] = [before.rows, before.cards, before.statusCounts];
    if (before.view.group === kept.view.group) kept.groups = before.groups;
  }
  return kept;
}
