/** Two ways to hear the live messages of a topic: a stream that stays open, and asking again and again. */

import { parseEvents, type StreamMessage } from '../core/sse';
import type { LiveTopic } from './live';

export interface Listener {
  message(message: StreamMessage): void;
  /** The connection broke; it comes back by itself. */
  broken(): void;
  /** A connection begins: its messages count from 0. */
  begins(): void;
}

/** Ends a connection. */
export type Close = () => void;

const EVENTS = ['hello', 'runs', 'spans', 'events', 'tasks', 'asks', 'reset', 'ping'];
const RETRY_MS = 2_000;
const POLL_MS = 1_000;

/** resume: the last message's id, which tells what was missed since. */
function address(topic: LiveTopic, resume: string | null, follow: boolean): string {
  const params = new URLSearchParams({ asks: '1' });
  if (topic.runs) params.set('runs', '1');
  if (topic.runId) params.set('run_id', topic.runId);
  if (topic.tasks) params.set('tasks', '1');
  if (!follow) params.set('follow', '0');
  if (resume) params.set('last_event_id', resume);
  return `api/live?${params}`;
}

/** Follows over one open connection. The browser opens it again by itself, and says what it had last. */
export function openStream(topic: LiveTopic, lastId: () => string | null, listener: Listener): Close {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open() {
    source = new EventSource(address(topic, lastId(), true));
    source.onopen = () => listener.begins();
    source.onerror = () => {
      listener.broken();
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MS); // refused: it does not try again
    };
    for (const event of EVENTS) {
      source.addEventListener(event, ({ lastEventId, data }) => listener.message({ id: lastEventId, event, data }));
    }
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** Asks what was missed, again and again; no connection is held in between. */
export function startPolling(topic: LiveTopic, lastId: () => string | null, listener: Listener): Close {
  const aborter = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function poll() {
    let pause = POLL_MS;
    try {
      const answer = await fetch(address(topic, lastId(), false), { signal: aborter.signal, cache: 'no-store' });
      const messages = parseEvents(await answer.text());
      // Without the last one the answer was cut off, and what is missing in it is asked for again.
      if (messages.at(-1)?.event !== 'ping') throw new Error('the answer has no end');
      listener.begins();
      for (const message of messages) listener.message(message);
    } catch {
      if (aborter.signal.aborted) return;
      listener.broken();
      pause = RETRY_MS;
    }
    if (!aborter.signal.aborted) timer = setTimeout(poll, pause);
  }

  void poll();
  return () => {
    clearTimeout(timer);
    aborter.abort();
  };
}
