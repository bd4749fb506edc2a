/** Recognises chat messages in captured values, whichever provider's shape they have. */

export interface ToolCall {
  readonly name: string;
  readonly args: unknown;
}

export interface ChatMessage {
  readonly role: string;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** Parts that are neither text nor a tool call, shown as JSON. */
  readonly other: readonly unknown[];
}

type Fields = Record<string, unknown>;

/** The messages in a value, or null when it does not look like a conversation. */
export function findMessages(value: unknown): ChatMessage[] | null {
  const list = messageList(value);
  if (list === null || list.length === 0 || !list.every(looksLikeMessage)) return null;
  return list.map((item) => toMessage(item as Fields));
}

function messageList(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isFields(value)) return null;
  if (Array.isArray(value.messages)) return value.messages;
  if (Array.isArray(value.choices)) return value.choices.map((choice) => (isFields(choice) ? choice.message : null));
  if (isFields(value.message)) return [value.message];
  return looksLikeMessage(value) ? [value] : null;
}

function looksLikeMessage(value: unknown): boolean {
  return isFields(value) && typeof value.role === 'string' && MESSAGE_FIELDS.some((field) => field in value);
}

const MESSAGE_FIELDS = ['content', 'parts', 'tool_calls'];

function toMessage(fields: Fields): ChatMessage {
  const texts: string[] = [];
  const toolCalls = Array.isArray(fields.tool_calls) ? fields.tool_calls.map(toToolCall) : [];
  const other: unknown[] = [];
  for (const part of parts(fields.content ?? fields.parts)) sortPart(part, texts, toolCalls, other);
  return { role: String(fields.role), text: texts.join('\n'), toolCalls, other };
}

function parts(content: unknown): unknown[] {
  if (content == null) return [];
  return Array.isArray(content) ? content : [content];
}

function sortPart(part: unknown, texts: string[], toolCalls: ToolCall[], other: unknown[]): void {
  if (typeof part === 'string') texts.push(part);
  else if (!isFields(part)) other.push(part);
  else if (part.type === 'tool_use' || part.type === 'tool_call') toolCalls.push(toToolCall(part));
  else {
    const text = [part.text, part.content].find((candidate) => typeof candidate === 'string');
    if (typeof text === 'string') texts.push(text);
    else other.push(part);
  }
}

function toToolCall(value: unknown): ToolCall {
  const call = isFields(value) ? value : {};
  const inner = isFields(call.function) ? call.function : call;
  const args = inner.arguments ?? inner.input ?? inner.args ?? null;
  return { name: String(inner.name ?? 'tool'), args: typeof args === 'string' ? parsedOrText(args) : args };
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // arguments cut short while streaming are still worth showing
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
