/** The first arguments of the spans on screen, asked for once rows rest: inputs are too large to come with every span. */

import { fetchArguments } from '../../api/spans';
import { kindGroup, RUNNING } from '../../core/kinds';
import type { RunModel } from './model.svelte';

const REST_MS = 150;
/** As many as the collector is asked about at once. */
const MOST = 200;

export class Arguments {
  private texts = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** Ids that were asked about, and for running spans that they were running: their input may come with their end. */
  private readonly asked = new Set<string>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly aborter = new AbortController();

  constructor(private readonly model: RunModel) {}

  of(spanId: string): string {
    return this.texts.get(spanId) ?? '';
  }

  /** These nodes are on screen. place: where; what was wanted there before is wanted no longer. */
  want(place: string, nodes: ArrayLike<number>): void {
    clearTimeout(this.timers.get(place));
    const rows = Array.from(nodes).filter((node) => this.isUnknown(node)).slice(0, MOST);
    if (rows.length > 0) this.timers.set(place, setTimeout(() => void this.ask(rows), REST_MS));
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.aborter.abort();
  }

  /** Conversations are no arguments: what a model was asked is read in the panel. */
  private isUnknown(node: number): boolean {
    const { store } = this.model;
    return node < store.count && kindGroup(store.kindOf(node)) !== 'llm' && !this.asked.has(this.keyOf(node));
  }

  private keyOf(row: number): string {
    const { store } = this.model;
    return store.status[row] === RUNNING ? `${store.ids[row]} running` : store.ids[row];
  }

  private async ask(rows: readonly number[]): Promise<void> {
    const { store, runId } = this.model;
    const keys = rows.map((row) => this.keyOf(row));
    for (const key of keys) this.asked.add(key);
    try {
      const found = await fetchArguments(runId, rows.map((row) => store.ids[row]), this.aborter.signal);
      this.texts = new Map([...this.texts, ...Object.entries(found)]);
    } catch {
      for (const key of keys) this.asked.delete(key); // asked again when rows move; they are complete without
    }
  }
}
