/** All events of the run, fetched when the log is looked at and kept up to date from the live connection. */

import { ApiError, fetchEvents } from '../../api/client';
import { EventStore, type EventItem } from '../../core/events';
import type { RunModel } from './model.svelte';

const LINES_A_MS = 50;

export class RunLog {
  readonly events = new EventStore();
  /** Grows when events came. */
  version = $state(0);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);

  private readonly aborter = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: RunModel) {}

  /** Listens before it loads, so that nothing falls between. */
  async open(): Promise<void> {
    this.model.eventTaps.add(this.take);
    await this.load();
  }

  async load(): Promise<void> {
    try {
      this.events.apply(await fetchEvents(this.model.runId, null, this.aborter.signal));
      this.failure = null;
    } catch (cause) {
      if (this.aborter.signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
    this.version++;
  }

  close(): void {
    this.model.eventTaps.delete(this.take);
    this.aborter.abort();
    clearTimeout(this.timer);
  }

  private readonly take = (events: EventItem[] | null): void => {
    if (events === null) void this.load();
    else if (this.events.apply(events) > 0) this.plan();
  };

  /** The longer the log, the less often it is laid out anew. */
  private plan(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.version++;
    }, this.events.all().length / LINES_A_MS);
  }
}
