/** Reading order of a conversation: what the model already knew, what was new in this call, what it answered. */

import type { Chat, ChatMessage, Part, ToolCall, ToolResult } from './chat';
import { formatJson } from './json';

/** More new messages than this, and the oldest of them fold away with the history. */
export const MOST_FRESH = 20;
/** A history this short is shown open. */
export const SHORT_HISTORY = 3;

// Some frameworks give the model's tool calls a role of their own.
const MODEL_ROLES = ['assistant', 'model', 'ai', 'tool-call', 'tool_call'];

/**
 * Divides what was sent: everything up to the model's last own message has been sent before, what follows is new. A call
 * without such a message has no history; one that ends in it is shown with that message.
 */
export function splitInput(input: readonly ChatMessage[]): { earlier: readonly ChatMessage[]; fresh: readonly ChatMessage[] } {
  const last = input.findLastIndex((message) => MODEL_ROLES.includes(message.role));
  const from = Math.max(Math.min(last + 1, input.length - 1), input.length - MOST_FRESH, 0);
  return { earlier: input.slice(0, from), fresh: input.slice(from) };
}

/** The call that each tool result answers: by id, else the oldest unanswered call of the same name. */
export function pairTools({ input, output }: Chat): ReadonlyMap<ToolResult, ToolCall> {
  const pairs = new Map<ToolResult, ToolCall>();
  const open: ToolCall[] = [];
  for (const message of [...input, ...output]) {
    for (const part of message.parts ?? []) {
      if (part.type === 'tool_call') open.push(part);
      else if (part.type === 'tool_result') pair(part, open, pairs);
    }
  }
  return pairs;
}

function pair(result: ToolResult, open: ToolCall[], pairs: Map<ToolResult, ToolCall>): void {
  const place = open.findIndex((call) => (result.id === null ? call.name === result.name : call.id === result.id));
  if (place < 0) return;
  pairs.set(result, open[place]);
  if (result.id === null) open.splice(place, 1);
}

/** A message as text for the clipboard. */
export function messageText(message: ChatMessage): string {
  return (message.parts ?? []).map(partText).join('\n\n');
}

/** A conversation as text for the clipboard, each message under its role. */
export function chatText({ input, output }: Chat): string {
  return [...input, ...output].map((message) => `## ${message.role}\n\n${messageText(message)}`).join('\n\n');
}

function partText(part: Part): string {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return part.text;
    case 'tool_call':
      return `${part.name} ${asText(part.args)}`;
    case 'tool_result':
      return asText(part.result);
    case 'media':
      return `[${[part.medium, part.name, part.mimeType, part.uri].filter(Boolean).join(' ')}]`;
    default:
      return asText(part.value);
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : formatJson(value);
}
