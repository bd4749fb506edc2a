/** What the views of a run that are read from top to bottom have in common: one entry is current, the newest is followed. */

import { untrack } from 'svelte';
import type { RunModel } from '../../state/run/model.svelte';
import { viewKey } from './viewkeys';

interface Entry {
  readonly key: string;
}

interface List {
  bring(i: number): Promise<HTMLElement | null>;
  topRow(): number;
}

/** What a view gives its feed. spanOf: which span an entry is of. onenter: of the current entry; none: Enter is not its key. */
interface Source<Item> {
  readonly items: readonly Item[];
  spanOf(item: Item): string | null;
  focusSearch(): void;
  onenter?(item: Item): void;
}

/** Made while a component is set up. */
export class Feed<Item extends Entry> {
  list = $state<List>();
  follow = $state(false);
  current = $state<string | null>(null);
  readonly place = $derived.by(() => this.source.items.findIndex(({ key }) => key === this.current));
  /** The span that was brought on screen last, or chosen here: it is not brought again. */
  private brought: string | null = null;

  constructor(
    private readonly model: RunModel,
    private readonly source: Source<Item>,
  ) {
    this.followLive();
    $effect(() => this.bringSelected());
  }

  /** A live run is followed, unless a link says what to look at. */
  private followLive(): void {
    let decided = false;
    $effect(() => {
      if (decided || !this.model.summary) return;
      decided = true;
      this.follow = untrack(() => this.model.isLive && this.model.selectedId === null);
    });
  }

  /** The first entry of what is selected elsewhere is brought on screen, once it is here. */
  private bringSelected(): void {
    const id = this.model.selectedId;
    void this.model.bringVersion;
    const { items } = this.source;
    const i = id === null ? -1 : items.findIndex((item) => this.source.spanOf(item) === id);
    if (i < 0 || id === this.brought || !this.list) return;
    this.brought = id;
    const here = items[this.place];
    if (here && this.source.spanOf(here) === id) return;
    this.current = items[i].key;
    void this.list.bring(i);
  }

  choose(item: Item): void {
    this.current = item.key;
    this.select(this.source.spanOf(item));
  }

  /** Selects a span that is already looked at. */
  select(spanId: string | null): void {
    this.brought = spanId;
    if (spanId !== null) this.model.select(this.model.store.rowOf(spanId));
  }

  private async go(i: number): Promise<void> {
    const { items } = this.source;
    if (items.length === 0) return;
    const to = Math.min(Math.max(i, 0), items.length - 1);
    this.choose(items[to]);
    (await this.list?.bring(to))?.querySelector<HTMLElement>('[role=article]')?.focus({ preventScroll: true });
  }

  private ownKey(key: string): boolean {
    const here = this.place < 0 ? (this.list?.topRow() ?? 0) - 1 : this.place;
    const { items, onenter } = this.source;
    if (key === 'j' || key === 'ArrowDown') void this.go(here + 1);
    else if (key === 'k' || key === 'ArrowUp') void this.go(here - 1);
    else if (key === 'Home') void this.go(0);
    else if (key === 'End') void this.go(items.length - 1);
    else if (key === 'Enter' && onenter && this.place >= 0) onenter(items[this.place]);
    else if (key === 'l' && this.model.isLive) this.follow = !this.follow;
    else return false;
    return true;
  }

  readonly onkeydown = (event: KeyboardEvent): void => {
    if (event.key === 'PageUp' || event.key === 'PageDown') return; // the list scrolls by itself
    const select = (node: number) => {
      if (node < 0) return;
      this.model.select(node);
      this.model.bringVersion++;
    };
    const { focusSearch } = this.source;
    viewKey(event, (key) => this.ownKey(key), { model: this.model, select, moveRow: () => undefined, page: 1, focusSearch });
  };
}
