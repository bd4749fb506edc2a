/**
 * Conversations with models, ready to be read: messages of parts, the collector's own or found in a captured value.
 *
 * Parts are read tolerantly, whichever provider's or convention's shape they have; what is not known stays as it came.
 */

import { parseJson } from './json';

export interface TextPart {
  readonly type: 'text' | 'reasoning';
  readonly text: string;
}

export interface ToolCall {
  readonly type: 'tool_call';
  readonly id: string | null;
  readonly name: string;
  readonly args: unknown;
}

export interface ToolResult {
  readonly type: 'tool_result';
  readonly id: string | null;
  readonly name: string | null;
  readonly result: unknown;
}

/** An image, recording or file, named and never fetched. */
export interface MediaPart {
  readonly type: 'media';
  readonly medium: string;
  readonly name: string | null;
  readonly mimeType: string | null;
  readonly uri: string | null;
  readonly bytes: number | null;
}

export interface OtherPart {
  readonly type: 'other';
  readonly value: unknown;
}

export type Part = TextPart | ToolCall | ToolResult | MediaPart | OtherPart;

/** id: null for messages that are not stored on their own. parts: null until they are loaded. bytes: of the parts. */
export interface ChatMessage {
  readonly id: string | null;
  readonly role: string;
  readonly parts: readonly Part[] | null;
  readonly bytes: number | null;
}

export interface Chat {
  readonly input: readonly ChatMessage[];
  readonly output: readonly ChatMessage[];
}

type Fields = Record<string, unknown>;

/** A stored message. */
export function toMessage(item: { message_id: string; role: string; bytes: number; parts?: unknown }): ChatMessage {
  const parts = item.parts == null ? null : asList(item.parts).map(readPart);
  return { id: item.message_id, role: item.role || 'unknown', parts, bytes: item.bytes };
}

/** The messages in a captured value, or null when it does not look like a conversation. */
export function findMessages(value: unknown): ChatMessage[] | null {
  const list = messageList(value);
  if (list === null || list.length === 0 || !list.every(looksLikeMessage)) return null;
  return list.map((item) => foundMessage(item as Fields));
}

function messageList(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isFields(value)) return null;
  if (Array.isArray(value.messages)) return value.messages;
  if (Array.isArray(value.choices)) return value.choices.map((choice) => (isFields(choice) ? choice.message : null));
  if (isFields(value.message)) return [value.message];
  return looksLikeMessage(value) ? [value] : null;
}

const MESSAGE_FIELDS = ['content', 'parts', 'tool_calls'];

function looksLikeMessage(value: unknown): boolean {
  return isFields(value) && typeof value.role === 'string' && MESSAGE_FIELDS.some((field) => field in value);
}

function foundMessage(fields: Fields): ChatMessage {
  const role = String(fields.role);
  const content = fields.content ?? fields.parts;
  const calls = asList(fields.tool_calls).map(readToolCall);
  const answersCall = fields.tool_call_id != null && !asList(content).some(isToolResult);
  const parts = answersCall ? [readToolResult({ ...fields, result: content })] : asList(content).map(readPart);
  return { id: null, role, parts: [...parts, ...calls], bytes: null };
}

const TEXT_TYPES = ['text', 'input_text', 'output_text'];
const REASONING_TYPES = ['reasoning', 'thinking', 'reasoning_text'];
const CALL_TYPES = ['tool_call', 'tool_use', 'function_call', 'function'];
const RESULT_TYPES = ['tool_result', 'tool_call_response', 'function_call_output', 'tool_response'];
const MEDIA_TYPES = ['image', 'audio', 'video', 'file', 'document', 'image_url', 'input_image', 'input_audio', 'input_file', 'blob', 'uri'];

export function readPart(part: unknown): Part {
  if (typeof part === 'string') return { type: 'text', text: part };
  if (!isFields(part)) return { type: 'other', value: part };
  const type = part.type ?? 'text';
  const text = firstText(part.content, part.text, part.thinking, part.reasoning);
  if (TEXT_TYPES.includes(type as string) && text !== null) return { type: 'text', text };
  if (REASONING_TYPES.includes(type as string) && text !== null) return { type: 'reasoning', text };
  if (CALL_TYPES.includes(type as string)) return readToolCall(part);
  if (isToolResult(part)) return readToolResult(part);
  if (MEDIA_TYPES.includes(type as string)) return readMedia(String(type), part);
  return { type: 'other', value: part };
}

function isToolResult(part: unknown): boolean {
  return isFields(part) && RESULT_TYPES.includes(part.type as string);
}

function readToolCall(value: unknown): ToolCall {
  const call = isFields(value) ? value : {};
  const inner = isFields(call.function) ? call.function : call;
  const args = inner.arguments ?? inner.input ?? inner.args ?? null;
  return { type: 'tool_call', id: firstText(call.id, call.call_id, call.tool_call_id), name: firstText(inner.name) ?? 'tool', args: parsedOrText(args) };
}

function readToolResult(part: Fields): ToolResult {
  const result = part.result ?? part.response ?? part.content ?? part.output ?? null;
  const id = firstText(part.tool_call_id, part.tool_use_id, part.call_id, part.id);
  return { type: 'tool_result', id, name: firstText(part.name), result: parsedOrText(onlyText(result)) };
}

function readMedia(type: string, part: Fields): MediaPart {
  const source = [part.source, part.image_url, part.file, part.input_audio].find(isFields) ?? part;
  const uri = firstText(source.uri, source.url, part.image_url, source.file_id);
  const data = firstText(source.data, source.blob, source.file_data) ?? (uri?.startsWith('data:') ? uri : null);
  return {
    type: 'media',
    medium: type.replace(/^input_|_url$/g, ''),
    name: firstText(part.name, part.filename, source.filename),
    mimeType: firstText(source.mime_type, source.media_type, source.mimeType, part.mime_type) ?? /^data:([^;,]+)/.exec(uri ?? '')?.[1] ?? null,
    uri: uri?.startsWith('data:') ? null : uri,
    bytes: firstNumber(part.bytes, part.size) ?? (data === null ? null : Math.floor((data.length * 3) / 4)), // base64
  };
}

/** Results often come as a list of one text part. */
function onlyText(value: unknown): unknown {
  if (!Array.isArray(value) || value.length === 0) return value;
  const parts = value.map(readPart);
  return parts.every((part) => part.type === 'text') ? parts.map((part) => (part as TextPart).text).join('\n') : value;
}

/** JSON in a text is shown as a tree. Arguments cut short while streaming are still worth showing as they are. */
function parsedOrText(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}

function firstText(...candidates: unknown[]): string | null {
  return (candidates.find((candidate) => typeof candidate === 'string') as string | undefined) ?? null;
}

function firstNumber(...candidates: unknown[]): number | null {
  return (candidates.find((candidate) => typeof candidate === 'number') as number | undefined) ?? null;
}

function asList(value: unknown): unknown[] {
  if (value == null) return [];
  return Array.isArray(value) ? value : [value];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
