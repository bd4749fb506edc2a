/** The list of webhooks, and one webhook with its deliveries, while these come and go. */

import { untrack } from 'svelte';
import { ApiError } from '../api/client';
import { fetchDeliveries, fetchDelivery, fetchWebhook, fetchWebhooks } from '../api/webhooks';
import type { Delivery, DeliveryDetail, DeliveryStatus, Webhook } from '../core/webhook';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Deliveries are no transitions: they are asked for. */
const IDLE_MS = 2_000;
const PAGE = 100;

abstract class Following {
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);
  protected readonly aborter = new AbortController();
  protected readonly refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const ask = () => this.refresher.ask();
    this.stop = live.stream.follow({ tasks: true }, { hello: live.greet, tasks: ask, gap: ask });
    // What the first question reads is no reason to open anew.
    await untrack(() => this.refresher.now());
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  protected abstract ask(signal: AbortSignal): Promise<void>;

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      await this.ask(signal);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }
}

export class WebhooksModel extends Following {
  webhooks = $state.raw<Webhook[]>([]);

  protected override async ask(signal: AbortSignal): Promise<void> {
    this.webhooks = await fetchWebhooks(signal);
  }
}

export class WebhookModel extends Following {
  webhook = $state.raw<Webhook | null>(null);
  deliveries = $state.raw<Delivery[]>([]);
  nextCursor = $state<string | null>(null);
  /** Statuses to show; none: all. */
  wanted = $state.raw<readonly DeliveryStatus[]>([]);
  /** The delivery that is looked at. */
  chosen = $state<string | null>(null);
  detail = $state.raw<DeliveryDetail | null>(null);

  constructor(readonly id: string) {
    super();
  }

  get missing(): boolean {
    return this.failure?.status === 404 && this.webhook === null;
  }

  want(statuses: readonly DeliveryStatus[]): void {
    this.wanted = statuses;
    this.deliveries = [];
    this.nextCursor = null;
    void this.refresher.now();
  }

  choose(deliveryId: string | null): void {
    this.chosen = deliveryId;
    if (deliveryId !== this.detail?.delivery.id) this.detail = null;
    void this.refresher.now();
  }

  async loadMore(): Promise<void> {
    if (this.nextCursor === null) return;
    const { signal } = this.aborter;
    try {
      const page = await fetchDeliveries(this.id, this.wanted, this.nextCursor, PAGE, signal);
      this.deliveries = [...this.deliveries, ...page.deliveries];
      this.nextCursor = page.next_cursor;
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    }
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const { chosen, wanted } = this;
    const [webhook, page, detail] = await Promise.all([
      fetchWebhook(this.id, signal),
      fetchDeliveries(this.id, wanted, null, PAGE, signal),
      chosen === null ? null : fetchDelivery(this.id, chosen, signal),
    ]);
    this.webhook = webhook;
    if (chosen === this.chosen) this.detail = detail;
    if (wanted !== this.wanted) return; // another filter was chosen meanwhile
    // What was loaded further down stays below the first page.
    const last = page.deliveries.at(-1);
    const older = last ? this.deliveries.filter((one) => one.created_at < last.created_at) : [];
    this.deliveries = page.next_cursor === null ? page.deliveries : [...page.deliveries, ...older];
    if (page.next_cursor === null || older.length === 0) this.nextCursor = page.next_cursor;
  }
}
