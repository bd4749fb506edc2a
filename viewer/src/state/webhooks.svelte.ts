/** The list of webhooks, and one webhook with its deliveries, while these come and go. */

import { fetchDeliveries, fetchDelivery, fetchWebhook, fetchWebhooks } from '../api/webhooks';
import type { Delivery, DeliveryDetail, Webhook } from '../core/webhook';
import { FollowedList, FollowedRecord, PAGE, type Page } from './following.svelte';

/** Deliveries are no transitions: they are asked for. */
const IDLE_MS = 2_000;

export class WebhooksModel extends FollowedList<Webhook> {
  constructor(readonly text: string) {
    super();
  }

  protected override idleMs(): number {
    return IDLE_MS;
  }

  /** All at once: a collector has few. */
  protected override async page(_cursor: string | null, signal: AbortSignal): Promise<Page<Webhook>> {
    const sought = this.text.toLowerCase();
    const found = await fetchWebhooks(signal);
    return [found.filter(({ name, url }) => `${name} ${url}`.toLowerCase().includes(sought)), null];
  }
}

export class WebhookModel extends FollowedRecord<Webhook, Delivery> {
  /** The delivery that is looked at. */
  chosen = $state<string | null>(null);
  detail = $state.raw<DeliveryDetail | null>(null);

  choose(deliveryId: string | null): void {
    this.chosen = deliveryId;
    if (deliveryId !== this.detail?.delivery.id) this.detail = null;
    void this.refresher.now();
  }

  protected override idleMs(): number {
    return IDLE_MS;
  }

  protected override fetch(signal: AbortSignal): Promise<Webhook> {
    return fetchWebhook(this.id, signal);
  }

  protected override async page(cursor: string | null, signal: AbortSignal): Promise<Page<Delivery>> {
    const page = await fetchDeliveries(this.id, this.wanted, cursor, PAGE, signal);
    return [page.deliveries, page.next_cursor];
  }

  protected override isOlder(delivery: Delivery, than: Delivery): boolean {
    return delivery.created_at < than.created_at;
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    const { chosen } = this;
    const [detail] = await Promise.all([chosen === null ? null : fetchDelivery(this.id, chosen, signal), super.ask(signal)]);
    if (chosen === this.chosen) this.detail = detail;
  }
}
