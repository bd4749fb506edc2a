/** Messages too large to come with their span, fetched when the reader asks for them. */

import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { ApiError, fetchMessage } from '../api/client';
import { toMessage, type Chat, type ChatMessage } from '../core/chat';

export class MessageLoader {
  // A message's id is derived from its content, so what was loaded never grows old.
  private readonly loaded = new SvelteMap<string, ChatMessage>();
  private readonly loading = new SvelteSet<string>();
  private readonly failures = new SvelteMap<string, ApiError>();
  private readonly aborter = new AbortController();

  /** The conversation with what has been loaded by now. */
  fill(chat: Chat): Chat {
    const fill = (message: ChatMessage) => (message.parts === null ? (this.loaded.get(message.id ?? '') ?? message) : message);
    return { input: chat.input.map(fill), output: chat.output.map(fill) };
  }

  isLoading(id: string): boolean {
    return this.loading.has(id);
  }

  failureOf(id: string): ApiError | null {
    return this.failures.get(id) ?? null;
  }

  async load(id: string): Promise<void> {
    if (this.loading.has(id)) return;
    this.loading.add(id);
    this.failures.delete(id);
    try {
      const { signal } = this.aborter;
      this.loaded.set(id, toMessage(await fetchMessage(id, signal)));
    } catch (cause) {
      this.failures.set(id, ApiError.of(cause));
    } finally {
      this.loading.delete(id);
    }
  }

  close(): void {
    this.aborter.abort();
  }
}
