/** The run's conversation, page after page; while the run is live, pages whose calls have changed are asked for again. */

import { ApiError, fetchRunMessages } from '../../api/client';
import type { Turn } from '../../core/dialogue';
import { kindGroup } from '../../core/kinds';
import type { RunModel } from './model.svelte';

const AGAIN_MS = 700;
const TALKING = ['llm', 'tool', 'human'];

interface Page {
  /** What it was asked for with. */
  readonly cursor: string | null;
  readonly turns: readonly Turn[];
}

export class Dialogue {
  turns = $state.raw<readonly Turn[]>([]);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);

  private pages: Page[] = [];
  /** Status of each span that talks when pages were last asked for; what has another one since is asked for again. */
  private readonly asked = new Map<string, number>();
  private readonly aborter = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy = false;

  constructor(private readonly model: RunModel) {}

  /** Loads from a page on; what was loaded stays on screen until its page is replaced. */
  async load(from = 0): Promise<void> {
    if (this.busy) return;
    [this.busy, this.failure] = [true, null];
    this.noteSpans();
    try {
      let cursor: string | null = this.pages[from]?.cursor ?? null;
      for (let i = from; i === from || cursor !== null; i++) {
        const answer = await fetchRunMessages(this.model.runId, cursor, this.aborter.signal);
        this.pages[i] = { cursor, turns: answer.turns };
        cursor = answer.next_cursor;
        if (cursor === null) this.pages.length = i + 1;
        this.turns = this.pages.flatMap((page) => page.turns);
        this.loading = false;
      }
    } catch (cause) {
      if (this.aborter.signal.aborted) return;
      // Before its first span the run is not known; it is asked for again when one arrives.
      const failure = ApiError.of(cause);
      this.failure = failure.status === 404 ? null : failure;
      this.loading = false;
    } finally {
      this.busy = false;
    }
  }

  /** The tree has changed: asks again, soon, for what is new or has ended. */
  refresh(): void {
    if (this.timer !== undefined || this.loading) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const changed = this.changed();
      if (changed.length > 0) void this.load(this.firstPageOf(changed));
    }, AGAIN_MS);
  }

  close(): void {
    this.aborter.abort();
    clearTimeout(this.timer);
  }

  private talking(row: number): boolean {
    return TALKING.includes(kindGroup(this.model.store.kindOf(row)));
  }

  private noteSpans(): void {
    const { store } = this.model;
    for (let row = 0; row < store.count; row++) if (this.talking(row)) this.asked.set(store.ids[row], store.status[row]);
  }

  private changed(): number[] {
    const { store } = this.model;
    const rows: number[] = [];
    for (let row = 0; row < store.count; row++) {
      if (this.talking(row) && this.asked.get(store.ids[row]) !== store.status[row]) rows.push(row);
    }
    return rows;
  }

  /** Pages are in order of start: the first that ends with a later one. */
  private firstPageOf(rows: readonly number[]): number {
    const { store } = this.model;
    const first = rows.reduce((least, row) => Math.min(least, store.start[row]), Infinity);
    const page = this.pages.findIndex(({ turns }) => {
      const last = turns.at(-1);
      return last !== undefined && store.start[store.rowOf(last.span_id)] >= first;
    });
    return page < 0 ? Math.max(this.pages.length - 1, 0) : page;
  }
}
