/** The selected span in full, fetched when it is selected and again when something about it arrives. */

import { ApiError, fetchSpan, PAYLOAD_LIMIT } from '../api/client';
import type { SpanDetail } from '../api/types';

const CACHED_SPANS = 50;

export class DetailModel {
  detail = $state.raw<SpanDetail | null>(null);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(false);

  private readonly cache = new Map<string, SpanDetail>();
  private aborter = new AbortController();

  constructor(private readonly runId: string) {}

  /** Whether a span can be shown at once, for good. */
  holds(spanId: string): boolean {
    return (this.cache.get(spanId)?.end_time ?? null) !== null;
  }

  /** Shows a span. fresh: what is cached may be out of date. */
  async show(spanId: string, fresh: boolean, payloadLimit = PAYLOAD_LIMIT): Promise<void> {
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    const cached = this.cache.get(spanId);
    if (cached) this.detail = cached;
    else if (this.detail?.span_id !== spanId) this.detail = null;
    this.failure = null;
    if (cached && !fresh && cached.end_time !== null) return;
    this.loading = true;
    try {
      this.keep(await fetchSpan(this.runId, spanId, payloadLimit, signal));
      this.loading = false;
    } catch (cause) {
      if (signal.aborted) return;
      this.loading = false;
      this.failure = ApiError.of(cause);
    }
  }

  /** Fetches the shown span again with its captured values whole. */
  loadAll(): Promise<void> {
    const { detail } = this;
    if (!detail) return Promise.resolve();
    const largest = Math.max(detail.input?.bytes ?? 0, detail.output?.bytes ?? 0);
    return this.show(detail.span_id, true, largest);
  }

  close(): void {
    this.aborter.abort();
  }

  private keep(detail: SpanDetail): void {
    this.cache.delete(detail.span_id);
    this.cache.set(detail.span_id, detail);
    if (this.cache.size > CACHED_SPANS) this.cache.delete(this.cache.keys().next().value as string);
    this.detail = detail;
  }
}
