/**
 * The one live connection of a tab.
 *
 * A page follows something; what it followed before is dropped. The browser resumes a broken stream by itself
 * (Last-Event-ID); whenever messages may have been missed all the same, `gap` tells the page to fetch again. Reports
 * can be applied in any order and twice, so a fetch and the messages around it need no coordination.
 */

import type { EventItem } from '../core/events';
import type { RunSummary } from '../core/runlist';
import type { SpanSkeleton } from '../core/spans';
import type { Transition } from '../core/task';

export type LiveState = 'off' | 'connecting' | 'live' | 'broken' | 'paused';

export interface LiveHandlers {
  hello?(hello: { version: string; now: string }): void;
  runs?(runs: RunSummary[]): void;
  spans?(message: { run_id: string; origin: string; spans: SpanSkeleton[] }): void;
  events?(events: EventItem[]): void;
  tasks?(transitions: Transition[]): void;
  gap(): void;
}

export interface LiveTopic {
  runs?: boolean;
  runId?: string;
  /** Every change of every managed task. */
  tasks?: boolean;
}

const HIDDEN_CLOSE_MS = 30_000;
const RETRY_MS = 2_000;

export class LiveStream {
  state: LiveState = 'off';
  /** When the connection broke, by the browser's clock. */
  brokenSince: number | null = null;

  private source: EventSource | null = null;
  private topic: LiveTopic | null = null;
  private handlers: LiveHandlers | null = null;
  private greeted = false;
  private mayHaveMissed = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private waiters: (() => void)[] = [];

  constructor(private readonly changed: () => void) {
    document.addEventListener('visibilitychange', () => this.visibilityChanged());
  }

  /** Starts following; the answer stops it. */
  follow(topic: LiveTopic, handlers: LiveHandlers): () => void {
    this.close();
    this.topic = topic;
    this.handlers = handlers;
    this.greeted = false;
    this.mayHaveMissed = false;
    this.open();
    return () => {
      if (this.handlers !== handlers) return;
      this.topic = this.handlers = null;
      this.close();
      this.setState('off');
    };
  }

  /**
   * Resolves when the stream is open, so that a fetch started then misses nothing; after `patienceMs` at the latest,
   * and then the stream's opening counts as a gap.
   */
  async opened(patienceMs: number): Promise<void> {
    if (this.greeted) return;
    await new Promise<void>((resolve) => {
      this.waiters.push(resolve);
      setTimeout(resolve, patienceMs);
    });
    if (!this.greeted) this.mayHaveMissed = true;
  }

  private open(): void {
    const params = new URLSearchParams();
    if (this.topic?.runs) params.set('runs', '1');
    if (this.topic?.runId) params.set('run_id', this.topic.runId);
    if (this.topic?.tasks) params.set('tasks', '1');
    const source = new EventSource(`api/live?${params}`);
    this.source = source;
    this.setState(this.brokenSince === null ? 'connecting' : 'broken');
    this.listen(source, 'hello', (hello) => this.onHello(hello));
    this.listen(source, 'runs', (data) => this.handlers?.runs?.(data.runs));
    this.listen(source, 'spans', (data) => this.handlers?.spans?.(data));
    this.listen(source, 'events', (data) => this.handlers?.events?.(data.events));
    this.listen(source, 'tasks', (data) => this.handlers?.tasks?.(data.transitions));
    this.listen(source, 'reset', () => this.handlers?.gap());
    source.onopen = () => this.setState('live');
    source.onerror = () => this.onError(source);
  }

  // Message shapes are those of LiveHandlers; JSON.parse cannot say so.
  private listen(source: EventSource, name: string, take: (data: any) => void): void {
    source.addEventListener(name, (event) => {
      if (source === this.source) take(JSON.parse((event as MessageEvent<string>).data || '{}'));
    });
  }

  private onHello(hello: { version: string; now: string }): void {
    this.handlers?.hello?.(hello);
    if (this.greeted || this.mayHaveMissed) this.handlers?.gap();
    this.greeted = true;
    this.mayHaveMissed = false;
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private onError(source: EventSource): void {
    if (source !== this.source) return;
    this.setState('broken');
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.reopen(), RETRY_MS);
  }

  private reopen(): void {
    this.source?.close();
    if (this.topic) this.open();
  }

  private close(): void {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.source = null;
    this.brokenSince = null;
  }

  private visibilityChanged(): void {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === 'hidden') {
      this.hiddenTimer = setTimeout(() => this.pause(), HIDDEN_CLOSE_MS);
    } else if (this.state === 'paused') this.reopen();
  }

  // A browser allows six connections to one origin over HTTP/1.1; tabs nobody looks at must not hold them.
  private pause(): void {
    if (!this.topic) return;
    this.close();
    this.setState('paused');
  }

  private setState(state: LiveState): void {
    if (state === 'broken') this.brokenSince ??= Date.now();
    else this.brokenSince = null;
    this.state = state;
    this.changed();
  }
}
