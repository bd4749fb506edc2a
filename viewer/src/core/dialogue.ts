/**
 * A run as one conversation to be read from top to bottom: what each call of a model was newly sent, what it answered,
 * each tool's call together with its result, and sub-agents in a piece, indented.
 */

import { findMessages, toMessage, type ChatMessage, type Part, type ToolCall, type ToolResult } from './chat';
import { kindGroup } from './kinds';
import type { SpanStore } from './spans';
import { ancestors } from './rows';
import { FAILED } from './kinds';
import type { Tree } from './tree';
import { splitInput } from './turns';

/** A captured value: whole, or its beginning. */
export interface Captured {
  readonly bytes: number;
  readonly value?: unknown;
  readonly head?: string | null;
}

interface StoredMessage {
  readonly message_id: string;
  readonly role: string;
  readonly bytes: number;
  readonly parts?: unknown;
}

/** A call of a model or a tool, as the API answers it. */
export interface Turn {
  readonly span_id: string;
  readonly repeated?: number;
  readonly input?: readonly StoredMessage[];
  readonly output?: readonly StoredMessage[];
  readonly sent?: Captured | null;
  readonly returned?: Captured | null;
  readonly error_message?: string | null;
  readonly call_id?: string | null;
}

interface Placed {
  /** Stays the same when the conversation grows. */
  readonly key: string;
  readonly spanId: string;
  /** How many agents deep. */
  readonly depth: number;
}

export interface MessageEntry extends Placed {
  readonly type: 'message';
  readonly side: 'sent' | 'answered';
  readonly message: ChatMessage;
}

/** A tool's call with its result; from the model's call, the tool's own span, or both. */
export interface ToolEntry extends Placed {
  readonly type: 'tool';
  readonly name: string;
  readonly callId: string | null;
  /** The tool's own span. */
  readonly toolSpan: string | null;
  readonly args: Captured | null;
  readonly result: Captured | null;
  readonly error: string | null;
}

export type Entry =
  | MessageEntry
  | ToolEntry
  /** Another agent speaks from here on. */
  | (Placed & { readonly type: 'agent'; readonly name: string; readonly back: boolean })
  /** Messages that were sent again. */
  | (Placed & { readonly type: 'repeated'; readonly count: number })
  /** What a call was given or gave that is no message. */
  | (Placed & { readonly type: 'captured'; readonly side: 'sent' | 'answered'; readonly captured: Captured })
  | (Placed & { readonly type: 'error'; readonly text: string })
  /** A call that has not answered yet. */
  | (Placed & { readonly type: 'waiting' });

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** turns: in any order, each span once; those whose span is not in the tree yet are left out. */
export function buildDialogue(turns: Iterable<Turn>, store: SpanStore, tree: Tree): Entry[] {
  const known = [...turns].filter((turn) => store.rowOf(turn.span_id) >= 0 && store.rowOf(turn.span_id) < tree.spanCount);
  const place = (turn: Turn) => tree.place[store.rowOf(turn.span_id)];
  known.sort((a, b) => place(a) - place(b));
  const agents = known.map((turn) => agentsAbove(store, tree, store.rowOf(turn.span_id)));
  const top = agents.reduce((least, above) => Math.min(least, above.length), Infinity);
  const writer = new Writer(store);
  known.forEach((turn, i) => writer.turn(turn, agents[i], agents[i].length - top));
  return writer.entries;
}

/** The agents a span works for, nearest first. */
function agentsAbove(store: SpanStore, tree: Tree, row: number): number[] {
  return ancestors(tree, row).filter((above) => above < tree.spanCount && kindGroup(store.kindOf(above)) === 'agent');
}

/** Older calls than this are not searched for: their results would have come. */
const MOST_UNANSWERED = 500;

class Writer {
  readonly entries: Entry[] = [];
  /** Calls that models made and no tool's span or result has answered, the latest last. */
  private unanswered: { entry: Writable<ToolEntry>; agent: number }[] = [];
  private agent = -1;
  private depth = 0;
  private spanId = '';
  private count = 0;

  constructor(private readonly store: SpanStore) {}

  turn(turn: Turn, agents: readonly number[], depth: number): void {
    const agent = agents[0] ?? -1;
    const before = this.depth;
    [this.spanId, this.depth, this.count] = [turn.span_id, depth, 0];
    if (agent !== this.agent && (this.entries.length > 0 || depth > 0) && agent >= 0) {
      this.add({ type: 'agent', name: this.store.nameOf(agent), back: depth < before, ...this.place(`agent${agent}`) });
    }
    this.agent = agent;
    if (kindGroup(this.store.kindOf(this.store.rowOf(turn.span_id))) === 'llm') this.model(turn);
    else this.tool(turn);
  }

  private model(turn: Turn): void {
    const row = this.store.rowOf(turn.span_id);
    const { repeated, sent } = newMessages(turn);
    if (repeated > 0) this.add({ type: 'repeated', count: repeated, ...this.place('repeated') });
    for (const message of sent) this.sentMessage(message);
    if (sent.length === 0 && repeated === 0 && turn.sent) this.captured('sent', turn.sent);
    const answered = turn.output?.map(toMessage) ?? findMessages(turn.returned?.value) ?? [];
    for (const message of answered) this.answer(message);
    if (answered.length === 0 && turn.returned) this.captured('answered', turn.returned);
    if (this.store.isRunning(row) && answered.length === 0) this.add({ type: 'waiting', ...this.place('waiting') });
    if (this.store.status[row] === FAILED) this.add({ type: 'error', text: this.errorText(turn, row), ...this.place('error') });
  }

  private sentMessage(message: ChatMessage): void {
    const parts = message.parts?.filter((part) => part.type !== 'tool_result' || !this.answered(part));
    if (parts?.length === 0 && message.parts?.length) return; // all of it stands with the calls it answers
    this.add({ type: 'message', side: 'sent', message: parts ? { ...message, parts } : message, ...this.place('sent') });
  }

  private answer(message: ChatMessage): void {
    const calls = message.parts?.filter((part) => part.type === 'tool_call') ?? [];
    const rest = message.parts?.filter((part) => part.type !== 'tool_call') ?? null;
    if (rest === null || rest.length > 0 || calls.length === 0) {
      this.add({ type: 'message', side: 'answered', message: { ...message, parts: rest }, ...this.place('answered') });
    }
    for (const call of calls) this.call(call);
  }

  private call(call: ToolCall): void {
    const args = call.args === null ? null : whole(call.args);
    const entry: Writable<ToolEntry> = {
      type: 'tool', name: call.name, callId: call.id, toolSpan: null, args, result: null, error: null, ...this.place('call'),
    };
    this.add(entry);
    this.unanswered.push({ entry, agent: this.agent });
    if (this.unanswered.length > MOST_UNANSWERED) this.unanswered.shift();
  }

  /** A result completes the latest call of its id; answers whether there was one. */
  private answered(part: ToolResult): boolean {
    const at = this.unanswered.findLastIndex(({ entry }) =>
      part.id === null ? entry.name === part.name && entry.result === null : entry.callId === part.id,
    );
    if (at < 0) return false;
    const { entry } = this.unanswered[at];
    entry.result ??= whole(part.result);
    return true;
  }

  private tool(turn: Turn): void {
    const row = this.store.rowOf(turn.span_id);
    const entry = this.calledAs(turn, row) ?? this.uncalled(turn, row);
    entry.toolSpan = turn.span_id;
    entry.args ??= turn.sent ?? null;
    entry.result = turn.returned ?? entry.result;
    if (this.store.status[row] === FAILED) entry.error = this.errorText(turn, row);
  }

  /** The call of a model that a tool's span carries out: by id, else the first open one of its name. */
  private calledAs(turn: Turn, row: number): Writable<ToolEntry> | null {
    const free = this.unanswered.filter(({ entry }) => entry.toolSpan === null);
    const names = [this.store.strings.texts[this.store.tool[row]], this.store.nameOf(row)];
    const found =
      (turn.call_id && free.findLast(({ entry }) => entry.callId === turn.call_id)) ||
      free.find(({ entry, agent }) => agent === this.agent && !turn.call_id && names.includes(entry.name));
    return found ? found.entry : null;
  }

  private uncalled(turn: Turn, row: number): Writable<ToolEntry> {
    const name = this.store.strings.texts[this.store.tool[row]] || this.store.nameOf(row);
    const entry: Writable<ToolEntry> = {
      type: 'tool', name, callId: turn.call_id ?? null, toolSpan: turn.span_id, args: null, result: null, error: null,
      ...this.place('tool'),
    };
    this.add(entry);
    return entry;
  }

  private captured(side: 'sent' | 'answered', captured: Captured): void {
    this.add({ type: 'captured', side, captured, ...this.place(side) });
  }

  private errorText(turn: Turn, row: number): string {
    return turn.error_message || this.store.strings.texts[this.store.error[row]] || 'failed';
  }

  private add(entry: Entry): void {
    this.entries.push(entry);
  }

  private place(what: string): Placed {
    return { key: `${this.spanId}.${what}.${this.count++}`, spanId: this.spanId, depth: this.depth };
  }
}

/** What was new in a call; of captured values that look like messages, what follows the model's last own message. */
function newMessages(turn: Turn): { repeated: number; sent: readonly ChatMessage[] } {
  if (turn.input || turn.repeated) return { repeated: turn.repeated ?? 0, sent: (turn.input ?? []).map(toMessage) };
  const { earlier, fresh } = splitInput(findMessages(turn.sent?.value) ?? []);
  return { repeated: earlier.length, sent: fresh };
}

function whole(value: unknown): Captured {
  return { bytes: 0, value };
}

/** What of an entry can be searched, in lower case. */
export function entryText(entry: Entry): string {
  switch (entry.type) {
    case 'message':
      return (entry.message.parts ?? []).map(partText).join('\n').toLowerCase();
    case 'tool':
      return [entry.name, capturedText(entry.args), capturedText(entry.result), entry.error].join('\n').toLowerCase();
    case 'captured':
      return capturedText(entry.captured).toLowerCase();
    case 'error':
      return entry.text.toLowerCase();
    default:
      return 'name' in entry ? entry.name.toLowerCase() : '';
  }
}

function partText(part: Part): string {
  if (part.type === 'text' || part.type === 'reasoning') return part.text;
  return textOf(part.type === 'tool_result' ? part.result : part);
}

function capturedText(captured: Captured | null): string {
  if (captured === null) return '';
  return captured.value === undefined ? (captured.head ?? '') : textOf(captured.value);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item)) ?? '';
}
