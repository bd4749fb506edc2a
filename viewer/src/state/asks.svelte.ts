/** The inbox of asks, and the one that is open. */

import { ApiError } from '../api/client';
import type { LiveTopic } from '../api/live';
import { fetchAsk, fetchAsks, markReceived, MOST_ASKS, sayTo } from '../api/asks';
import { parseAskFilters, type AskFilters } from '../core/askfilters';
import { mergeHeld, type Ask, type AskMove } from '../core/asks';
import { announcer } from './announcer.svelte';
import { Following } from './following.svelte';
import { live } from './live.svelte';
import { openAsks } from './openasks.svelte';
import { Refresher } from './refresher';
import { settings } from './settings.svelte';

const PAGE = 50;
/** After a failure; otherwise every change is told. */
const AGAIN_MS = 3_000;

export class AsksModel extends Following {
  readonly filters: AskFilters;
  asks = $state.raw<readonly Ask[]>([]);
  /** Asks that are still in the list though they are open no more: rows do not move under the pointer. */
  gone = $state.raw<ReadonlySet<string>>(new Set());
  openCount = $state(0);
  more = $state(false);

  private limit = PAGE;
  private held = false;
  protected override readonly topic: LiveTopic = {};
  private unhear: (() => void) | null = null;

  constructor(search: string) {
    super();
    this.filters = parseAskFilters(search);
  }

  override open(): Promise<void> {
    this.unhear = live.stream.hearAsks(() => this.load());
    return super.open();
  }

  override close(): void {
    this.unhear?.();
    super.close();
  }

  loadMore(): void {
    if (!this.more || this.limit >= MOST_ASKS) return;
    this.limit = Math.min(MOST_ASKS, this.limit + PAGE);
    this.more = false;
    this.refresher.ask();
  }

  /** While the pointer is over the rows they stay where they are. */
  hold(held: boolean): void {
    this.held = held;
    if (!held) this.refresher.ask();
  }

  protected override idleMs(): number {
    return this.failure ? AGAIN_MS : Infinity;
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const page = await fetchAsks(this.filters, this.limit, null, signal);
    const merged = this.held ? mergeHeld(this.asks, page.asks) : { asks: page.asks, gone: new Set<string>() };
    if (!this.loading && page.open_count > this.openCount) announcer.say(`${page.open_count} open approvals`);
    [this.asks, this.gone, this.openCount] = [merged.asks, merged.gone, page.open_count];
    this.more = page.next_cursor !== null;
  }
}

/** One ask, as it stands, and what a reader says to it. */
export class AskModel {
  ask = $state.raw<Ask | null>(null);
  failure = $state.raw<ApiError | null>(null);
  missing = $state(false);
  /** Why the last thing that was said was not taken. */
  refusal = $state.raw<ApiError | null>(null);
  busy = $state(false);

  private readonly aborter = new AbortController();
  private readonly refresher = new Refresher(() => this.refresh(), () => (this.failure ? AGAIN_MS : Infinity));
  private stop: (() => void) | null = null;

  /** known: as a list has it, shown until it has arrived. */
  constructor(
    readonly id: string,
    known: Ask | null = null,
    private readonly changed: () => void = () => undefined,
  ) {
    this.ask = known;
  }

  async open(): Promise<void> {
    this.stop = live.stream.hearAsks((events) => {
      if (!events || events.some((event) => event.ask_id === this.id)) this.refresher.ask();
    });
    await this.refresher.now();
    if (this.ask?.status !== 'open' || this.ask.received_at !== null) return;
    try {
      this.ask = await markReceived(this.id, settings.actingAs);
    } catch {
      this.refresher.ask(); // it was closed meanwhile; what it is now is asked for
    }
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  /** Says something to it; answers whether that was taken. */
  async say(move: AskMove, body: Record<string, unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.refusal = null;
    try {
      this.ask = await sayTo(this.id, move, body);
      announcer.say(`${this.ask.title}: ${this.ask.status === 'open' ? 'noted' : this.ask.status}`);
      return true;
    } catch (cause) {
      this.refusal = ApiError.of(cause);
      await this.refresher.now(); // somebody else may have been first
      return false;
    } finally {
      this.busy = false;
      this.changed();
      openAsks.ask();
    }
  }

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      const fresh = await fetchAsk(this.id, signal);
      if (this.ask && this.ask.status !== fresh.status) announcer.say(`${fresh.title} is ${fresh.status}`);
      [this.ask, this.failure, this.missing] = [fresh, null, false];
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
      this.missing = this.failure.status === 404;
    }
  }
}
