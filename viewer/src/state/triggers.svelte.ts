/** The list of triggers, and one trigger with its log. */

import { ApiError } from '../api/client';
import { fetchTrigger, fetchTriggerEvents, fetchTriggers } from '../api/triggers';
import type { Trigger, TriggerEvent } from '../core/trigger';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** What makes no task is no transition. */
const IDLE_MS = 5_000;
const PAGE = 100;

/** Follows the tasks, asks again, says what failed. */
abstract class Following {
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);
  protected readonly aborter = new AbortController();
  protected readonly refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const ask = () => this.refresher.ask();
    this.stop = live.stream.follow({ tasks: true }, { hello: live.greet, tasks: ask, gap: ask });
    await live.stream.opened(400);
    await this.refresher.now();
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

export class TriggersModel extends Following {
  triggers = $state.raw<Trigger[]>([]);
  nextCursor = $state<string | null>(null);

  constructor(readonly text: string) {
    super();
  }

  loadMore(): Promise<void> {
    return this.guarded(async (signal) => {
      const page = await fetchTriggers(this.text, this.nextCursor, signal);
      [this.triggers, this.nextCursor] = [[...this.triggers, ...page.triggers], page.next_cursor];
    });
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const wanted = Math.max(PAGE, this.triggers.length);
    const triggers: Trigger[] = [];
    let cursor: string | null = null;
    do {
      const page = await fetchTriggers(this.text, cursor, signal);
      triggers.push(...page.triggers);
      cursor = page.next_cursor;
    } while (cursor && triggers.length < wanted);
    [this.triggers, this.nextCursor] = [triggers, cursor];
  }
}

export class TriggerModel extends Following {
  trigger = $state.raw<Trigger | null>(null);
  events = $state.raw<TriggerEvent[]>([]);
  nextCursor = $state<string | null>(null);
  /** Outcomes of the log to show; none: all. */
  wanted = $state.raw<readonly string[]>([]);

  constructor(readonly id: string) {
    super();
  }

  get missing(): boolean {
    return this.failure?.status === 404 && this.trigger === null;
  }

  want(outcomes: readonly string[]): void {
    this.wanted = outcomes;
    this.events = [];
    void this.refresher.now();
  }

  loadMore(): Promise<void> {
    return this.guarded(async (signal) => {
      const page = await fetchTriggerEvents(this.id, this.wanted, this.nextCursor, PAGE, signal);
      [this.events, this.nextCursor] = [[...this.events, ...page.events], page.next_cursor];
    });
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const [trigger, page] = await Promise.all([fetchTrigger(this.id, signal), fetchTriggerEvents(this.id, this.wanted, null, PAGE, signal)]);
    this.trigger = trigger;
    // What was loaded further down stays below the first page; ids rise with time.
    const last = page.events.at(-1);
    const older = last ? this.events.filter((event) => event.id < last.id) : [];
    this.events = page.next_cursor === null ? page.events : [...page.events, ...older];
    if (page.next_cursor === null || older.length === 0) this.nextCursor = page.next_cursor;
  }
}
