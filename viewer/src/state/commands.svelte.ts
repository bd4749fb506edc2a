/** What the page on screen offers in the command menu. Keys of core/keymap.ts are offered without being registered. */

import { untrack } from 'svelte';

export interface Command {
  /** Unique within its owner. */
  readonly id: string;
  readonly title: string;
  /** Its key, as core/keymap.ts writes it; the menu then does not list that key a second time. */
  readonly keys?: string;
  /** Other words a reader may look for. */
  readonly words?: string;
  readonly run: () => void;
}

class Commands {
  private byOwner = $state.raw<ReadonlyMap<string, readonly Command[]>>(new Map());

  /** Offers commands until the answer is called; best as the value of an $effect. owner: their heading. */
  register(owner: string, commands: readonly Command[]): () => void {
    // An effect that offers commands must not run again because others do.
    this.byOwner = new Map(untrack(() => this.byOwner)).set(owner, commands);
    return () => {
      if (this.byOwner.get(owner) !== commands) return; // replaced since
      const rest = new Map(this.byOwner);
      rest.delete(owner);
      this.byOwner = rest;
    };
  }

  /** Headings and what is below them, in the order of registration. */
  get groups(): { owner: string; commands: readonly Command[] }[] {
    return Array.from(this.byOwner, ([owner, commands]) => ({ owner, commands }));
  }
}

export const commands = new Commands();
