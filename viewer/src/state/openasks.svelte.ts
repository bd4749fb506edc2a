/** How many asks wait for somebody: the number beside Approvals. */

import { getJson } from '../api/client';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** After a failure; otherwise every change is told. */
const AGAIN_MS = 15_000;
/** The first page's own requests come first: a browser has six connections to an origin. */
const FIRST_AFTER_MS = 1_500;

class OpenAsks {
  count = $state(0);

  private failed = false;
  private later: ReturnType<typeof setTimeout> | undefined;
  private readonly refresher = new Refresher(() => this.refresh(), () => (this.failed ? AGAIN_MS : Infinity));

  start(): void {
    this.askLater();
    live.stream.hearAsks((events) => (events ? this.refresher.ask() : this.askLater()));
  }

  ask(): void {
    this.refresher.ask();
  }

  private askLater(): void {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.refresher.ask(), FIRST_AFTER_MS);
  }

  private async refresh(): Promise<void> {
    try {
      this.failed = false;
      this.count = (await getJson<{ open_count: number }>('api/asks?status=open&limit=1')).open_count;
    } catch {
      this.failed = true; // the live mark beside it says that the collector is away; the number stays
    }
  }
}

export const openAsks = new OpenAsks();
