/** What pages of the controller have in common: they are asked for again when something has happened. */

import { untrack } from 'svelte';
import { ApiError } from '../api/client';
import type { LiveTopic } from '../api/live';
import type { Transition } from '../core/task';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** What makes no transition is asked for all the same. */
const IDLE_MS = 5_000;
export const PAGE = 100;

/** Follows the tasks, asks again, says what failed. */
export abstract class Following {
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);
  protected readonly aborter = new AbortController();
  protected readonly refresher = new Refresher(() => this.refresh(), () => this.idleMs());
  protected readonly topic: LiveTopic = { tasks: true };
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const handlers = { hello: live.greet, tasks: (transitions: readonly Transition[]) => this.changed(transitions), gap: () => this.load() };
    // What happens before the stream is open is asked for again once it is.
    this.stop = live.stream.follow(this.topic, handlers, null);
    await untrack(() => this.refresher.now()); // what it reads is not what opening depends on
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  protected abstract ask(signal: AbortSignal): Promise<void>;

  /** How long until it is asked for again when nothing has happened. */
  protected idleMs(): number {
    return IDLE_MS;
  }

  protected changed(_transitions: readonly Transition[]): void {
    this.load();
  }

  protected async guarded(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.aborter;
    try {
      await act(signal);
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    }
  }

  private async refresh(): Promise<void> {
    await this.guarded(async (signal) => {
      await this.ask(signal);
      this.failure = null;
    });
    if (!this.aborter.signal.aborted) this.loading = false;
  }
}

/** Some of many, and where the next page begins; null: there is none. */
export type Page<Item> = readonly [items: Item[], nextCursor: string | null];

/** A list of pages: as many as were loaded are asked for again. */
export abstract class FollowedList<Item> extends Following {
  items = $state.raw<Item[]>([]);
  nextCursor = $state<string | null>(null);

  async loadMore(): Promise<void> {
    const { nextCursor: cursor } = this;
    if (cursor === null) return;
    await this.guarded(async (signal) => {
      const [items, nextCursor] = await this.page(cursor, signal);
      if (cursor !== this.nextCursor) return; // another list by now
      [this.items, this.nextCursor] = [[...this.items, ...items], nextCursor];
    });
  }

  protected abstract page(cursor: string | null, signal: AbortSignal): Promise<Page<Item>>;

  protected override async ask(signal: AbortSignal): Promise<void> {
    const wanted = Math.max(PAGE, this.items.length);
    const found: Item[] = [];
    let cursor: string | null = null;
    do {
      const [items, next]: Page<Item> = await this.page(cursor, signal);
      found.push(...items);
      cursor = next;
    } while (cursor && found.length < wanted);
    [this.items, this.nextCursor] = [found, cursor];
  }
}

/** One thing with its log, the newest line first: only the first page of the log is asked for again. */
export abstract class FollowedRecord<Thing, Line> extends FollowedList<Line> {
  thing = $state.raw<Thing | null>(null);
  /** Kinds of lines to show; none: all. */
  wanted = $state.raw<readonly string[]>([]);
  /** The kinds that the lines are of which are there. */
  private shown = this.wanted;

  constructor(readonly id: string) {
    super();
  }

  get missing(): boolean {
    return this.failure?.status === 404 && this.thing === null;
  }

  /** Shows lines of a kind as well, or no longer. */
  toggle(kind: string): void {
    this.wanted = this.wanted.includes(kind) ? this.wanted.filter((other) => other !== kind) : [...this.wanted, kind];
    this.nextCursor = null;
    void this.refresher.now();
  }

  protected abstract fetch(signal: AbortSignal): Promise<Thing>;
  protected abstract isOlder(line: Line, than: Line): boolean;

  protected override async ask(signal: AbortSignal): Promise<void> {
    const { wanted } = this;
    const [thing, [lines, nextCursor]] = await Promise.all([this.fetch(signal), this.page(null, signal)]);
    this.thing = thing;
    if (wanted !== this.wanted) return; // others were chosen meanwhile
    // What was loaded further down stays below the first page.
    const last = lines.at(-1);
    const older = last && wanted === this.shown && nextCursor ? this.items.filter((line) => this.isOlder(line, last)) : [];
    this.shown = wanted;
    this.items = [...lines, ...older];
    if (older.length === 0) this.nextCursor = nextCursor;
  }
}
