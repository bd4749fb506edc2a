/** Checkpoints, logs and other events of a run; the same whether they were loaded or arrived live. */

import { parseIsoNs } from './time';

export interface EventItem {
  time: string;
  kind: string;
  span_id?: string | null;
  name?: string | null;
  severity?: string | null;
  message?: string | null;
  fraction?: number | null;
  body?: unknown;
  attributes?: unknown;
}

export interface Mark {
  readonly event: EventItem;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
}

/** Keeps each event once, in time order. */
export class EventStore {
  version = 0;
  private readonly keys = new Set<string>();
  private sorted: Mark[] = [];

  apply(events: readonly EventItem[]): number {
    let added = 0;
    let inOrder = true;
    for (const event of events) {
      const key = identity(event);
      if (this.keys.has(key)) continue;
      this.keys.add(key);
      const mark = { event, time: parseIsoNs(event.time) };
      // Most events arrive in order; a long log is not sorted for each of them.
      inOrder &&= this.sorted.length === 0 || byTime(this.sorted[this.sorted.length - 1], mark) < 0;
      this.sorted.push(mark);
      added++;
    }
    if (added > 0) {
      if (!inOrder) this.sorted.sort(byTime);
      this.version++;
    }
    return added;
  }

  all(): readonly Mark[] {
    return this.sorted;
  }
}

// The wire gives events no id; two that agree in all of this are the same report.
function identity(event: EventItem): string {
  return JSON.stringify([event.time, event.kind, event.span_id, event.name, event.message, event.fraction]);
}

function byTime(a: Mark, b: Mark): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return identity(a.event) < identity(b.event) ? -1 : 1;
}
