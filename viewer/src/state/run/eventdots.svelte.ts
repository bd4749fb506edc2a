/** When a run's logs, exceptions and events were, for the dots on its bars. What they say is asked for when it is read. */

import { fetchEventMarks } from '../../api/client';
import type { EventItem } from '../../core/events';
import { DotStore, type EventDots } from '../../core/eventmarks';
import { parseIsoNs } from '../../core/time';
import type { RunModel } from './model.svelte';

const DRAWN_KINDS = ['log', 'exception', 'event'];

export class EventDotsModel {
  /** The collector holds more than are drawn. */
  truncated = $state(false);
  /** Grows when dots arrived. */
  private version = $state(0);
  private readonly store = new DotStore();

  constructor(private readonly model: RunModel) {}

  /** Dots are an extra: where they cannot be had the picture stands without them, and the next load asks again. */
  async load(signal: AbortSignal): Promise<void> {
    const marks = await fetchEventMarks(this.model.runId, signal).catch(() => null);
    const { origin } = this.model.store;
    if (!marks || marks.origin === null || origin === null) return;
    const shift = Number(parseIsoNs(marks.origin) - origin);
    marks.offset_ns.forEach((offset, i) => this.store.put(marks.span_id[i], offset + shift, marks.kind[i], marks.severity[i]));
    this.truncated = marks.truncated;
    this.version++;
  }

  take(events: readonly EventItem[]): void {
    const { origin } = this.model.store;
    if (origin === null) return; // the load that is on its way brings them
    const drawn = events.filter((event) => DRAWN_KINDS.includes(event.kind));
    for (const { span_id, time, kind, severity } of drawn) {
      this.store.put(span_id ?? null, Number(parseIsoNs(time) - origin), kind, severity);
    }
    if (drawn.length > 0) this.version++;
  }

  /** The dots of a span; those of the run itself are the root's. Reading it while painting repaints when more arrive. */
  of = (row: number): EventDots | null => {
    if (this.version === 0) return null;
    const { store, drawnCorrection } = this.model;
    const id = store.ids[row];
    const dots = this.store.of(id) ?? (id === this.model.rootId() ? this.store.of(null) : null);
    const shift = drawnCorrection?.shift[row] ?? 0;
    return dots && shift !== 0 ? { ...dots, times: dots.times.map((time) => time + shift) } : dots;
  };
}
