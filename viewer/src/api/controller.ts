/** The controller's API: tasks, schedules, agents and limits. Loaded with the pages that show them. */

import { formatJson, parseJson } from '../core/json';
import type { Cadence, Instant, PlannedInstant, Schedule } from '../core/schedule';
import type { Deliverable } from '../core/deliverable';
import type { Attempt, Fallback, Need, Task, TaskAction, Transition } from '../core/task';
import { taskQuery, type TaskFilters } from '../core/taskfilters';
import { AGENTS_ADDRESSES, countsAddress, schedulesAddress, tasksAddress } from './addresses';
import type { Answer } from './ahead';
import { getJson, request } from './client';

export { PAGE_SIZE as TASK_PAGE_SIZE } from './addresses';

export interface TaskListAnswer {
  tasks: Task[];
  next_cursor: string | null;
}

export interface GroupCount {
  value: string | null;
  count: number;
}

export interface CountAnswer {
  group_by: string;
  groups: GroupCount[];
  total: number;
}

export interface Checkpoint {
  task_id: string;
  attempt: number;
  sequence: number;
  created_at: string;
  size_bytes: number;
  name: string | null;
  agent: string | null;
  state: unknown;
  /** The checkpoint that a retry went on from, saved once more as the newest. */
  copy_of: number | null;
}

/** A step that an attempt completed; reused_by: later attempts that took its result. */
export interface Step {
  task_id: string;
  attempt: number;
  name: string;
  input_digest: string;
  created_at: string;
  size_bytes: number;
  agent: string | null;
  reused_by: number[];
  result: unknown;
}

export interface CheckpointListAnswer {
  checkpoints: Checkpoint[];
  steps: Step[];
}

export interface BulkAnswer {
  matched: number;
  changed: number;
  refused: number;
  refusals: { task_id: string; reason: string }[];
  dry_run: boolean;
}

export interface ScheduleListAnswer {
  schedules: Schedule[];
  next_cursor: string | null;
}

export interface InstantListAnswer {
  instants: Instant[];
  next_cursor: string | null;
}

export interface PreviewAnswer {
  text: string;
  instants: PlannedInstant[];
}

export interface Lease {
  task_id: string;
  task_name: string;
  attempt: number;
  run_id: string;
  leased_at: string;
  expires_at: string;
  progress?: number | null;
  phase?: string | null;
}

/** Fields with a default are absent when they have it. */
export interface Worker {
  id: string;
  agent: string;
  started_at: string;
  last_poll_at: string;
  concurrency: number;
  alive: boolean;
  draining?: boolean;
  tasks?: string[];
  host_name?: string | null;
  process_id?: number | null;
  sdk_version?: string | null;
  leases?: Lease[];
}

export interface Agent {
  name: string;
  teams?: string[];
  tasks?: string[];
  capabilities?: string[];
  labels?: Record<string, string>;
  /** Of capabilities and labels, those that people have given it. */
  set_by_hand?: string[];
  paused?: boolean;
  paused_by?: string | null;
  workers?: Worker[];
  slots?: number;
  busy?: number;
  ready?: number;
  delayed?: number;
  last_poll_at?: string | null;
}

export interface Team {
  name: string;
  members?: string[];
  declared?: string[];
  alive?: string[];
  description?: string;
  fallback?: Fallback | null;
  ready?: number;
  delayed?: number;
}

/** How well an agent suits a task; the parts lie between 0 and 1. */
export interface MatchCandidate {
  agent: string;
  total: number;
  preference: number;
  success: number;
  load: number;
  cost: number;
  obstacle?: string | null;
  attempts?: number;
  successes?: number;
  cost_usd?: number | null;
}

export interface Match {
  task_id: string;
  needs: Need[];
  candidates: MatchCandidate[];
  weights: Record<string, number>;
  margin: number;
  match_wait_ms: number;
  best: string | null;
}

export interface BatchProgress {
  id: string;
  total: number;
  finished: number;
  counts: Record<string, number>;
  created_at?: string | null;
  created_by?: string | null;
  estimated_completion?: string | null;
}

export interface Limit {
  scope: 'agent' | 'name' | 'key';
  value: string;
  concurrency?: number | null;
  rate?: number | null;
  per_ms?: number | null;
}

/** A request with a JSON body. */
async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body === undefined) return request(path, { method, headers, signal });
  headers['content-type'] = 'application/json';
  return request(path, { method, headers, signal, body: formatJson(body) });
}

async function post<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return (await send('POST', path, body, signal)).json() as Promise<T>;
}

/** As getJson, for answers with values of agents: integers too large for a double arrive as bigint. */
async function getExactly<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, { signal, headers: { accept: 'application/json' } });
  return parseJson(await response.text()) as T;
}

const at = (...parts: (string | number)[]): string => `api/${parts.map((part) => encodeURIComponent(part)).join('/')}`;

export interface TaskListQuery {
  filters: TaskFilters;
  sort?: string;
  cursor?: string | null;
  limit?: number;
  ids?: readonly string[];
}

export function fetchTasks(query: TaskListQuery, signal?: AbortSignal): Promise<TaskListAnswer> {
  const params = taskQuery(query.filters);
  for (const id of query.ids ?? []) params.append('ids', id);
  return getJson(tasksAddress(params, query.sort, query.cursor, query.limit), signal);
}

export function fetchCounts(filters: TaskFilters, groupBy: string, signal?: AbortSignal): Promise<CountAnswer> {
  return getJson(countsAddress(taskQuery(filters), groupBy), signal);
}

export const createTask = (task: Record<string, unknown>): Promise<Task> => post('api/tasks', task);

export const fetchTask = (id: string, signal?: AbortSignal): Promise<Task> => getExactly(at('tasks', id), signal);

export async function fetchAttempts(id: string, signal?: AbortSignal): Promise<Attempt[]> {
  return (await getExactly<{ attempts: Attempt[] }>(at('tasks', id, 'runs'), signal)).attempts;
}

export const fetchMatch = (id: string, signal?: AbortSignal): Promise<Match> => getJson(at('tasks', id, 'match'), signal);

export const fetchBatch = (id: string, signal?: AbortSignal): Promise<BatchProgress> => getJson(at('batches', id), signal);

export async function fetchTeams(signal?: AbortSignal): Promise<Team[]> {
  return (await getJson<{ teams: Team[] }>(AGENTS_ADDRESSES.teams, signal)).teams;
}

export const fetchCheckpoints = (id: string, signal?: AbortSignal): Promise<CheckpointListAnswer> =>
  getExactly(at('tasks', id, 'checkpoints'), signal);

/** Every version of every deliverable of a task, by name, the newest first. */
export async function fetchVersions(id: string, signal?: AbortSignal): Promise<Deliverable[]> {
  return (await getJson<{ deliverables: Deliverable[] }>(`${at('tasks', id, 'deliverables')}?versions=all`, signal)).deliverables;
}

/** The text of a content; limit: only so many bytes of its beginning. */
export async function fetchContent(address: string, size: number, limit: number | null, signal?: AbortSignal): Promise<string> {
  const headers: Record<string, string> = limit !== null && size > limit ? { range: `bytes=0-${limit - 1}` } : {};
  const bytes = await (await request(address, { signal, headers })).arrayBuffer();
  return new TextDecoder().decode(bytes);
}

export async function fetchTransitions(id: string, signal?: AbortSignal): Promise<Transition[]> {
  return (await getJson<{ transitions: Transition[] }>(at('tasks', id, 'transitions'), signal)).transitions;
}

/** Does to a task what a person asked for. */
export async function actOnTask(id: string, action: TaskAction, body: Record<string, unknown>): Promise<void> {
  if (action === 'delete') await send('DELETE', at('tasks', id));
  else if (action === 'edit') await send('PATCH', at('tasks', id), body);
  else await send('POST', at('tasks', id, action), body);
}

export function actOnTasks(action: TaskAction, filter: unknown, body: unknown, dryRun: boolean, signal?: AbortSignal): Promise<BulkAnswer> {
  return post('api/tasks/bulk', { action: action === 'edit' ? 'update' : action, filter, arguments: body, dry_run: dryRun }, signal);
}

export function fetchSchedules(text: string, cursor: string | null, signal?: AbortSignal): Promise<ScheduleListAnswer> {
  return getJson(schedulesAddress(text, cursor), signal);
}

export const fetchSchedule = (id: string, signal?: AbortSignal): Promise<Schedule> => getExactly(at('schedules', id), signal);

export function fetchInstants(
  id: string,
  status: readonly string[],
  cursor: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<InstantListAnswer> {
  const params = new URLSearchParams({ limit: String(limit) });
  for (const one of status) params.append('status', one);
  if (cursor) params.set('cursor', cursor);
  return getJson(`${at('schedules', id, 'instants')}?${params}`, signal);
}

export function previewCadence(cadence: Cadence, count: number, after: string | null, signal?: AbortSignal): Promise<PreviewAnswer> {
  return post('api/schedules/preview', { cadence, count, ...(after && { after }) }, signal);
}

export const createSchedule = (schedule: Record<string, unknown>): Promise<Schedule> => post('api/schedules', schedule);

export async function actOnSchedule(id: string, action: 'pause' | 'resume' | 'run' | 'delete'): Promise<Task | null> {
  if (action === 'delete') return send('DELETE', at('schedules', id)).then(() => null);
  const answer = await post<unknown>(at('schedules', id, action), {});
  return action === 'run' ? (answer as Task) : null;
}

export async function fetchAgents(signal?: AbortSignal): Promise<Agent[]> {
  return (await getJson<{ agents: Agent[] }>(AGENTS_ADDRESSES.agents, signal)).agents;
}

export async function actOnAgent(name: string, action: 'pause' | 'resume', reason = ''): Promise<void> {
  await post(at('agents', name, action), { reason });
}

export async function fetchLimits(signal?: AbortSignal): Promise<Limit[]> {
  return (await getJson<{ limits: Limit[] }>(AGENTS_ADDRESSES.limits, signal)).limits;
}

export async function putLimit(limit: Limit): Promise<void> {
  await send('PUT', 'api/limits', limit);
}

export async function deleteLimit(limit: Limit): Promise<void> {
  await send('DELETE', at('limits', limit.scope, limit.value));
}
