/** Requests to the collector. Addresses are relative, so that the page's <base> decides where they go. */

import type { EventItem } from '../core/events';
import { parseJson } from '../core/json';
import type { RunFilters } from '../core/runfilters';
import { eventsAddress, PAGE_SIZE, runAddress, runsAddress } from './addresses';
import { takeAhead, type Answer } from './ahead';
import type { EventListAnswer, EventMarks, MessageItem, Problem, RunDetail, RunListAnswer, RunMessagesAnswer, SchemaAnswer, SpanDetail, SqlAnswer } from './types';

/** Captured values up to this size come whole; larger ones as their beginning, with "load all". */
export const PAYLOAD_LIMIT = 262_144;

/** A request that failed: refused by the collector (status > 0) or never answered (status 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }

  /** Whatever was caught, as a failure to show. */
  static of(cause: unknown): ApiError {
    return cause instanceof ApiError ? cause : new ApiError({ title: 'Unreadable answer', status: 0, detail: String(cause) });
  }

  get status(): number {
    return this.problem.status;
  }

  get remedy(): string | null {
    return this.problem.remedy ?? null;
  }
}

const UNREACHABLE: Problem = {
  title: 'Collector not reachable',
  status: 0,
  detail: 'the collector does not answer',
  remedy: 'start it with `milepost serve`; what is on screen stays',
};

/** fetch, with every way of failing turned into ApiError. An aborted request stays an AbortError. */
export async function request(path: string, init: RequestInit = {}): Promise<Answer> {
  let response: Answer;
  try {
    const ahead = init.method === undefined ? takeAhead(path) : null;
    response = await (ahead ?? fetch(path, init));
    init.signal?.throwIfAborted(); // what was asked ahead knows nothing of the signal
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(UNREACHABLE);
  }
  if (!response.ok) throw new ApiError(await readProblem(response));
  return response;
}

async function readProblem(response: Answer): Promise<Problem> {
  const fallback = { title: response.statusText || 'Error', status: response.status, detail: `HTTP ${response.status}` };
  try {
    return { ...fallback, ...((await response.json()) as Problem) };
  } catch {
    return fallback; // an answer from something in between that does not speak problem+json
  }
}

export async function getJson<T>(path: string, signal?: AbortSignal, positions?: Positions): Promise<T> {
  const response = await request(path, { signal, headers: { accept: 'application/json' } });
  notePosition(response, positions);
  return response.json() as Promise<T>;
}

/** Collects from where the live stream tells what answers do not have yet; null where one does not say. */
export type Positions = (string | null)[];

export function notePosition(response: Answer, positions?: Positions): void {
  positions?.push(response.headers.get('milepost-live-position'));
}

export function fetchRuns(
  filters: RunFilters,
  cursor: string | null,
  signal?: AbortSignal,
  limit = PAGE_SIZE,
  positions?: Positions,
): Promise<RunListAnswer> {
  return getJson(runsAddress(filters, cursor, limit, positions !== undefined), signal, positions);
}

export function fetchRun(runId: string, signal?: AbortSignal, positions?: Positions): Promise<RunDetail> {
  return getJson(runAddress(runId, positions !== undefined), signal, positions);
}

/** All events of one kind, or of every kind, page after page. */
export async function fetchEvents(
  runId: string,
  kind: string | null,
  signal?: AbortSignal,
  positions?: Positions,
): Promise<EventItem[]> {
  const events: EventItem[] = [];
  let cursor: string | null = null;
  do {
    const address = eventsAddress(runId, kind, cursor, positions !== undefined);
    const page: EventListAnswer = await getJson(address, signal, positions);
    events.push(...page.events);
    cursor = page.next_cursor;
  } while (cursor);
  return events;
}

/** When a run's logs, exceptions and events were, without what they say. */
export function fetchEventMarks(runId: string, signal?: AbortSignal): Promise<EventMarks> {
  return getJson(`api/runs/${encodeURIComponent(runId)}/marks`, signal);
}

/** A page of a run's conversation. */
export async function fetchRunMessages(runId: string, cursor: string | null, signal?: AbortSignal): Promise<RunMessagesAnswer> {
  const params = new URLSearchParams(cursor ? { cursor } : {});
  const response = await request(`api/runs/${encodeURIComponent(runId)}/messages?${params}`, { signal });
  return parseJson(await response.text()) as RunMessagesAnswer;
}

/** Everything about a span; integers too large for a double arrive as bigint. */
export async function fetchSpan(
  runId: string,
  spanId: string,
  payloadLimit: number,
  signal?: AbortSignal,
): Promise<SpanDetail> {
  const params = new URLSearchParams({ run_id: runId, payload_limit: String(payloadLimit) });
  const response = await request(`api/spans/${encodeURIComponent(spanId)}?${params}`, { signal });
  return parseJson(await response.text()) as SpanDetail;
}

/** A message whole, however large. */
export async function fetchMessage(messageId: string, signal?: AbortSignal): Promise<MessageItem> {
  const response = await request(`api/messages/${encodeURIComponent(messageId)}`, { signal });
  return parseJson(await response.text()) as MessageItem;
}

export async function runSql(sql: string, limit: number, signal?: AbortSignal): Promise<SqlAnswer> {
  const response = await request('api/sql', {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ sql, limit }),
  });
  return parseJson(await response.text()) as SqlAnswer;
}

export function fetchSchema(signal?: AbortSignal): Promise<SchemaAnswer> {
  return getJson('api/schema', signal);
}
