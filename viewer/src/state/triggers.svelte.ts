/** The list of triggers, and one trigger with its log. */

import { fetchTrigger, fetchTriggerEvents, fetchTriggers } from '../api/triggers';
import type { Trigger, TriggerEvent } from '../core/trigger';
import { FollowedList, FollowedRecord, PAGE, type Page } from './following.svelte';

export class TriggersModel extends FollowedList<Trigger> {
  constructor(readonly text: string) {
    super();
  }

  protected override async page(cursor: string | null, signal: AbortSignal): Promise<Page<Trigger>> {
    const page = await fetchTriggers(this.text, cursor, signal);
    return [page.triggers, page.next_cursor];
  }
}

export class TriggerModel extends FollowedRecord<Trigger, TriggerEvent> {
  protected override fetch(signal: AbortSignal): Promise<Trigger> {
    return fetchTrigger(this.id, signal);
  }

  protected override async page(cursor: string | null, signal: AbortSignal): Promise<Page<TriggerEvent>> {
    const page = await fetchTriggerEvents(this.id, this.wanted, cursor, PAGE, signal);
    return [page.events, page.next_cursor];
  }

  /** Ids rise with time. */
  protected override isOlder(event: TriggerEvent, than: TriggerEvent): boolean {
    return event.id < than.id;
  }
}
