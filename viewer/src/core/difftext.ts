/** What a span was given and returned, as texts that can be compared line by line. */

import { toMessage } from './chat';
import type { CapturedValue, SpanBodies, SpanComparison, StoredMessage } from './compare';
import { formatBytes } from './format';
import { formatJson } from './json';
import { messageText } from './turns';

/** A pair of texts under a title. null: that span has none. cut: the bytes of the larger one, when only its head is here. */
export interface TextPair {
  readonly title: string;
  readonly a: string | null;
  readonly b: string | null;
  readonly cutBytes: number;
}

/** What there is to compare of two spans; parts that neither has are left out. */
export function textPairs({ a, b }: SpanComparison): TextPair[] {
  const pair = (title: string, text: (bodies: SpanBodies) => string | null, cut: (bodies: SpanBodies) => number = () => 0): TextPair => ({
    title,
    a: a && text(a),
    b: b && text(b),
    cutBytes: Math.max(a ? cut(a) : 0, b ? cut(b) : 0),
  });
  const pairs = [
    pair('Messages sent', ({ messages }) => conversationText(messages?.input), ({ messages }) => cutMessages(messages?.input)),
    pair('Input', ({ input }) => payloadText(input), ({ input }) => cutPayload(input)),
    pair('Answer', ({ messages }) => conversationText(messages?.output), ({ messages }) => cutMessages(messages?.output)),
    pair('Output', ({ output }) => payloadText(output), ({ output }) => cutPayload(output)),
    pair('Error', ({ error_type, error_message }) => [error_type, error_message].filter(Boolean).join(': ') || null),
  ];
  return pairs.filter((one) => one.a !== null || one.b !== null);
}

function payloadText(payload: CapturedValue | null): string | null {
  if (!payload) return null;
  if (payload.value === undefined) return payload.head == null ? null : `${payload.head}…`;
  if (payload.value === null) return null;
  return typeof payload.value === 'string' ? payload.value : formatJson(payload.value);
}

function cutPayload(payload: CapturedValue | null): number {
  return payload && payload.value === undefined ? payload.bytes : 0;
}

/** Each message under its role. One that is too large to be here is named by its id, so that equal ones are equal. */
function conversationText(items: readonly StoredMessage[] | undefined): string | null {
  if (!items || items.length === 0) return null;
  return items
    .map((item) => {
      const message = toMessage(item);
      const text = message.parts === null ? `[${formatBytes(item.bytes)}, not loaded: ${item.message_id}]` : messageText(message);
      return `── ${message.role}\n${text}`;
    })
    .join('\n');
}

function cutMessages(items: readonly StoredMessage[] | undefined): number {
  return Math.max(0, ...(items ?? []).filter((item) => item.parts == null).map((item) => item.bytes));
}
