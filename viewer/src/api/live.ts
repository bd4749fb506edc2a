/**
 * The one live connection of a tab.
 *
 * A page follows something; what it followed before is dropped. What happens to asks is told whatever the page follows,
 * and on pages that follow nothing too, as long as somebody hears it: their number stands in the head of every page. A connection that broke, or was closed while nobody
 * looked, resumes after the last message; messages are counted, and whenever one may have been missed all the same,
 * `gap` tells the page to fetch again. Reports can be applied in any order and twice, so a fetch and the messages around
 * it need no coordination.
 */

import type { AskEvent } from '../core/asks';
import type { EventItem } from '../core/events';
import { MessageCount, type StreamMessage } from '../core/sse';
import type { RunSummary } from '../core/runlist';
import type { SpanSkeleton } from '../core/spans';
import type { Transition } from '../core/task';
import { openStream, startPolling, type Close } from './connections';
import { awaitSlot, takeSlot } from './slots';

/** catching: connected, but what was missed is still on its way. */
export type LiveState = 'off' | 'connecting' | 'live' | 'catching' | 'broken' | 'paused';

export interface LiveHandlers {
  hello?(hello: { version: string; now: string }): void;
  runs?(runs: RunSummary[]): void;
  spans?(message: { run_id: string; origin: string; spans: SpanSkeleton[] }): void;
  events?(events: EventItem[]): void;
  tasks?(transitions: Transition[]): void;
  /** Messages were missed: fetch anew. The promise, if any, settles when that is done. */
  gap(): void | Promise<unknown>;
}

export interface LiveTopic {
  runs?: boolean;
  runId?: string;
  /** Every change of every managed task. */
  tasks?: boolean;
}

/** Events of asks as they come; null when some may have been missed. */
export type AskListener = (events: AskEvent[] | null) => void;

const HIDDEN_CLOSE_MS = 30_000;
/** The collector says something every ten seconds; a connection that is silent for longer is dead without knowing it. */
const SILENT_MS = 25_000;
/** Replaying fewer messages than this is over before it can be read. */
const WORTH_TELLING = 20;
/** A page that is left is mostly followed by one that follows something itself. */
const BETWEEN_PAGES_MS = 500;

type Data = Record<string, any>;

export class LiveStream {
  state: LiveState = 'off';
  /** When the connection broke, by the browser's clock. */
  brokenSince: number | null = null;
  /** Missed messages that are still to come. */
  behind = 0;

  private topic: LiveTopic | null = null;
  private handlers: LiveHandlers | null = null;
  private connection: Close | null = null;
  private releaseSlot: (() => void) | null = null;
  private slotWait = new AbortController();
  private opening = 0;
  private count = new MessageCount();
  private lastId: string | null = null;
  private lastHeard = 0;
  private fetching = false;
  private fetchAgain = false;
  private mayHaveMissed = false;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly askListeners = new Set<AskListener>();
  private afterPage: ReturnType<typeof setTimeout> | undefined;
  /** The next hello is the first of what is followed now. */
  private begins = true;

  constructor(private readonly changed: () => void) {
    document.addEventListener('visibilitychange', () => this.visibilityChanged());
    addEventListener('online', () => this.state === 'broken' && this.reopen());
  }

  /**
   * Starts following; the answer stops it. from: the position that an answer has named, so that all after it is told;
   * null when what there is may be incomplete: then the stream's opening counts as a gap.
   */
  follow(topic: LiveTopic, handlers: LiveHandlers, from?: string | null): () => void {
    this.begin(topic, handlers, from);
    return () => {
      if (this.handlers !== handlers) return;
      this.topic = this.handlers = null;
      this.close();
      this.setState('off');
      this.hearBetweenPages();
    };
  }

  /** Whether a page follows something, rather than only asks being heard of. */
  get isFollowing(): boolean {
    return this.handlers !== null;
  }

  /** Tells what happens to asks; the answer ends that. */
  hearAsks(listener: AskListener): () => void {
    this.askListeners.add(listener);
    if (!this.topic) this.hearBetweenPages();
    return () => void this.askListeners.delete(listener);
  }

  private begin(topic: LiveTopic, handlers: LiveHandlers | null, from?: string | null): void {
    clearTimeout(this.afterPage);
    this.close();
    this.topic = topic;
    this.handlers = handlers;
    this.lastId = from ?? null;
    this.mayHaveMissed = from === null;
    this.fetching = this.fetchAgain = false;
    this.begins = true;
    this.behind = 0;
    this.setState('connecting');
    this.changed(); // also when something else was connecting before: whether a page follows may be another answer
    void this.open();
  }

  private hearBetweenPages(): void {
    clearTimeout(this.afterPage);
    this.afterPage = setTimeout(() => {
      if (!this.topic && this.askListeners.size > 0) this.begin({}, null);
    }, BETWEEN_PAGES_MS);
  }

  private tellAsks(events: AskEvent[] | null): void {
    for (const listener of this.askListeners) listener(events);
  }

  private async open(): Promise<void> {
    const opening = ++this.opening;
    this.releaseSlot ??= await takeSlot();
    if (opening !== this.opening || !this.topic) return;
    const listener = {
      begins: () => void (this.count = new MessageCount()),
      broken: () => opening === this.opening && this.setState('broken'),
      message: (message: StreamMessage) => opening === this.opening && this.take(message),
    };
    const connect = this.releaseSlot ? openStream : startPolling;
    this.connection = connect(this.topic, () => this.lastId, listener);
    this.heard();
    if (!this.releaseSlot) void this.streamLater();
  }

  /** Asks again and again only until another tab has given its slot back. */
  private async streamLater(): Promise<void> {
    this.slotWait.abort();
    const { signal } = (this.slotWait = new AbortController());
    const release = await awaitSlot(signal);
    if (signal.aborted || !this.topic) return release();
    this.releaseSlot = release;
    this.reopen();
  }

  private take(message: StreamMessage): void {
    this.heard();
    if (this.count.note(message.id)) void this.fetchMissed();
    this.lastId = message.id;
    const data = JSON.parse(message.data || '{}') as Data;
    if (message.event === 'hello') this.greet(data);
    else if (message.event === 'reset') void this.fetchMissed();
    else this.deliver(message.event, data);
    if (this.behind > 0 && message.event !== 'hello') this.behind--;
    this.setState(this.fetching || this.behind > WORTH_TELLING ? 'catching' : 'live');
  }

  private greet(data: Data): void {
    this.handlers?.hello?.(data as { version: string; now: string });
    this.behind = data.behind ?? 0;
    // A fetch may have failed while the collector could not be reached, so after that everything is fetched anew.
    if (this.mayHaveMissed || this.brokenSince !== null) void this.fetchMissed();
    else if (this.begins) this.tellAsks(null); // what happened before it opened, nobody has told
    this.mayHaveMissed = this.begins = false;
  }

  // The shapes of messages are those of LiveHandlers; JSON.parse cannot say so.
  private deliver(event: string, data: Data): void {
    if (event === 'runs') this.handlers?.runs?.(data.runs);
    else if (event === 'spans') this.handlers?.spans?.(data as Parameters<NonNullable<LiveHandlers['spans']>>[0]);
    else if (event === 'events') this.handlers?.events?.(data.events);
    else if (event === 'tasks') this.handlers?.tasks?.(data.transitions);
    else if (event === 'asks') this.tellAsks(data.events);
  }

  /** Has the page fetch anew: once at a time, and once more when something was missed meanwhile. */
  private async fetchMissed(): Promise<void> {
    const { handlers } = this;
    this.tellAsks(null);
    if (this.fetching || !handlers) return void (this.fetchAgain = true);
    this.fetching = true;
    do {
      this.fetchAgain = false;
      await handlers.gap();
      if (this.handlers !== handlers) return;
    } while (this.fetchAgain);
    this.fetching = false;
    if (this.state === 'catching' && this.behind <= WORTH_TELLING) this.setState('live');
  }

  private heard(): void {
    this.lastHeard = Date.now();
    this.silenceTimer ??= setTimeout(() => this.checkSilence(), SILENT_MS);
  }

  /** One timer, set anew when it fires: messages are too many to set one each. */
  private checkSilence(): void {
    const left = this.lastHeard + SILENT_MS - Date.now();
    this.silenceTimer = left > 0 ? setTimeout(() => this.checkSilence(), left) : undefined;
    if (left > 0 || !this.connection) return;
    this.setState('broken', this.lastHeard);
    this.reopen();
  }

  private reopen(): void {
    this.disconnect();
    void this.open();
  }

  private disconnect(): void {
    this.opening++;
    this.slotWait.abort();
    this.connection?.();
    this.connection = null;
    clearTimeout(this.silenceTimer);
    this.silenceTimer = undefined;
  }

  private close(): void {
    this.disconnect();
    this.brokenSince = null;
  }

  private visibilityChanged(): void {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === 'hidden') this.hiddenTimer = setTimeout(() => this.pause(), HIDDEN_CLOSE_MS);
    else if (this.state === 'paused') this.reopen();
  }

  // Tabs nobody looks at hold nothing; what they miss they are told when they are looked at again.
  private pause(): void {
    if (!this.topic) return;
    this.close();
    this.releaseSlot?.();
    this.releaseSlot = null;
    this.setState('paused');
  }

  private setState(state: LiveState, since = Date.now()): void {
    if (state === 'broken') this.brokenSince ??= since;
    else if (state !== 'connecting') this.brokenSince = null;
    if (state === this.state && state !== 'catching' && state !== 'broken') return;
    this.state = state;
    this.changed();
  }
}
