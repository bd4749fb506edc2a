/** The tab's live connection as reactive state, and the collector's clock. */

import { LiveStream, type LiveState } from '../api/live';
import { isoToMs } from '../core/time';

class Live {
  state = $state<LiveState>('off');
  brokenSince = $state<number | null>(null);
  /** Missed messages that are still to come. */
  behind = $state(0);
  /** What to add to the browser's clock to get the collector's, milliseconds. */
  clockOffsetMs = $state(0);
  version = $state<string | null>(null);

  readonly stream: LiveStream = new LiveStream(() => {
    // A page that follows nothing is not live, though asks are heard of.
    this.state = this.stream.isFollowing ? this.stream.state : 'off';
    this.brokenSince = this.stream.isFollowing ? this.stream.brokenSince : null;
    this.behind = this.stream.behind;
  });

  greet = (hello: { version: string; now: string }): void => {
    this.clockOffsetMs = isoToMs(hello.now) - Date.now();
    this.version = hello.version;
  };

  /** The collector's time in milliseconds since the epoch. */
  nowMs(): number {
    return Date.now() + this.clockOffsetMs;
  }
}

export const live = new Live();
