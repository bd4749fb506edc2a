/** How many asks wait for somebody: the number beside Approvals. */

import { getJson } from '../api/client';
import { Refresher } from './refresher';

const AGAIN_MS = 15_000;
/** The first page's own requests come first: a browser has six connections to an origin. */
const FIRST_AFTER_MS = 1_500;

class OpenAsks {
  count = $state(0);

  private readonly refresher = new Refresher(() => this.refresh(), () => AGAIN_MS);

  start(): void {
    setTimeout(() => this.refresher.ask(), FIRST_AFTER_MS);
  }

  ask(): void {
    this.refresher.ask();
  }

  private async refresh(): Promise<void> {
    try {
      this.count = (await getJson<{ open_count: number }>('api/asks?status=open&limit=1')).open_count;
    } catch {
      return; // the live mark beside it says that the collector is away; the number stays
    }
  }
}

export const openAsks = new OpenAsks();
