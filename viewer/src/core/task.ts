/** Managed tasks as the collector tells of them, and what a reader may ask of one. Field names are the wire's. */

import type { Deliverable, ExpectedDeliverable } from './deliverable';
import type { Budget } from './budget';

export const TASK_STATUSES = [
  'pending', 'blocked', 'assigned', 'in_progress', 'review', 'paused', 'completed', 'failed', 'cancelled',
] as const;
export const PRIORITIES = ['urgent', 'high', 'medium', 'low'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];
export type Priority = (typeof PRIORITIES)[number];

export interface WhyNotRunning {
  code: string;
  text: string;
  until?: string | null;
  task_id?: string | null;
}

export interface DependencyState {
  task_id: string;
  name: string;
  status: string;
  output_as?: string | null;
}

/** How far one of a task's agents is. */
export interface AgentResult {
  status: string;
  agent?: string | null;
  team?: string | null;
  attempt?: number;
  failures?: number;
  losses?: number;
  worker_id?: string | null;
  result?: unknown;
  error_type?: string | null;
  error_message?: string | null;
}

/** What a task wants of its agent; without a weight it is required. */
export interface Need {
  what: string;
  weight?: number | null;
}

/** Who takes over what is not done: one of agent, team and person. */
export interface Fallback {
  agent?: string | null;
  team?: string | null;
  person?: string | null;
  after_failures?: number | null;
  after_ms?: number | null;
}

/** How long a task probably takes, judged by `samples` like it. */
export interface Estimate {
  of: 'agent' | 'name';
  samples: number;
  median_ms: number;
  p90_ms: number;
  completion?: string | null;
  completion_p90?: string | null;
}

/** "person ann after all retries or 10 min without a worker" */
export function fallbackText(of: Fallback): string {
  const who = of.agent ? `agent ${of.agent}` : of.team ? `team ${of.team}` : `person ${of.person}`;
  const tries = of.after_failures ? `${of.after_failures} failures` : 'all retries';
  return `${who} after ${tries}${of.after_ms ? ` or ${Math.round(of.after_ms / 6000) / 10} min without a worker` : ''}`;
}

/** A task as it stands; input, context and result are absent in lists. Settings that are not given have their default. */
export interface Task {
  id: string;
  name: string;
  description: string;
  type: string;
  status: TaskStatus;
  priority: Priority;
  agents: AgentResult[];
  settings: Record<string, unknown>;
  created_at: string;
  updated_at: string;
  agent: string | null;
  team: string | null;
  input: unknown;
  context: unknown;
  result: unknown;
  error_type: string | null;
  error_message: string | null;
  reason: string | null;
  deadline: string | null;
  deadline_at_risk: boolean;
  run_at: string | null;
  dependencies: DependencyState[];
  dependents: DependencyState[];
  tags: string[];
  app: string | null;
  key: string | null;
  created_by: string | null;
  idempotency_key: string | null;
  schedule_id: string | null;
  scheduled_for: string | null;
  origin_run_id: string | null;
  origin_span_id: string | null;
  progress: number | null;
  phase: string | null;
  attempt: number;
  failures: number;
  losses: number;
  last_run_id: string | null;
  next_run_at: string | null;
  estimated_completion: string | null;
  estimate?: Estimate | null;
  /** Since when it counts as stalled. */
  stalled_since?: string | null;
  batch?: string | null;
  needs?: Need[];
  fallback?: Fallback | null;
  why_not_running: WhyNotRunning | null;
  pause_requested: boolean;
  /** What runs was asked to make way for a change; the task goes on by itself then. */
  yield_requested: boolean;
  cancel_requested: boolean;
  started_at: string | null;
  finished_at: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
  /** The newest version of each; in lists of tasks there are none. */
  deliverables: Deliverable[];
  expected_deliverables: ExpectedDeliverable[];
  /** What it draws on, the nearest first; told of a task alone, not in lists. */
  budgets?: Budget[];
}

/** One try of a task. */
export interface Attempt {
  task_id: string;
  attempt: number;
  status: string;
  run_id: string;
  worker_id: string;
  leased_at: string;
  agent: string | null;
  started_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  progress: number | null;
  phase: string | null;
  result: unknown;
  error_type: string | null;
  error_message: string | null;
  error_stack: string | null;
  reason: string | null;
  retry_at: string | null;
  steps_reused: number;
  checkpoint_count: number;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
}

/** One change of a task. */
export interface Transition {
  sequence: number;
  task_id: string;
  time: string;
  event: string;
  from_status: string | null;
  to_status: string;
  attempt: number | null;
  agent: string | null;
  worker_id: string | null;
  by: string | null;
  reason: string | null;
}

export const ACTIONS = ['run', 'resume', 'pause', 'retry', 'edit', 'redirect', 'complete', 'cancel', 'delete'] as const;
/** What a person does to the work itself, instead of to when it runs. */
export const INTERVENTIONS: readonly TaskAction[] = ['edit', 'redirect', 'complete'];
export type TaskAction = (typeof ACTIONS)[number];

const FINISHED: readonly string[] = ['completed', 'failed', 'cancelled'];
const WORKING: readonly string[] = ['assigned', 'in_progress'];
const WAITING: readonly string[] = ['pending', 'blocked', 'review'];

export const isFinished = (status: string): boolean => FINISHED.includes(status);
/** A worker holds it. */
export const isWorking = (status: string): boolean => WORKING.includes(status);

/** What the controller would accept of each status; it has the last word and its refusal says what is legal. */
const ACCEPTED_IN: Record<TaskAction, readonly string[]> = {
  run: ['pending', 'paused', ...FINISHED],
  resume: ['paused'],
  pause: [...WAITING, ...WORKING],
  retry: ['failed', 'cancelled', 'paused'],
  edit: [...WAITING, ...WORKING, 'paused'],
  redirect: [...WAITING, ...WORKING, 'paused'],
  complete: [...WAITING, ...WORKING, 'paused'],
  cancel: [...WAITING, ...WORKING, 'paused'],
  delete: [...WAITING, 'paused', ...FINISHED],
};

type Asked = Pick<Task, 'status' | 'pause_requested' | 'cancel_requested'>;

/** What can be asked of a task, the most useful first. A pause that has been asked for can be taken back. */
export function actionsOf(task: Asked): TaskAction[] {
  return ACTIONS.filter((action) => {
    if (isWorking(task.status) && action === 'resume') return task.pause_requested;
    if (isWorking(task.status) && action === 'pause') return !task.pause_requested;
    if (task.cancel_requested && (action === 'cancel' || action === 'edit' || action === 'redirect')) return false;
    return ACCEPTED_IN[action].includes(task.status);
  });
}

/** The action behind "pause or resume", whichever the task takes. */
export function pauseOrResume(task: Asked): TaskAction | null {
  const offered = actionsOf(task);
  return offered.includes('resume') ? 'resume' : offered.includes('pause') ? 'pause' : null;
}

/** "in progress" for in_progress. */
export const statusWord = (status: string): string => status.replace(/_/g, ' ');

/** Names of those who do a task: its agent, several of them, or a team. */
export function executors(task: Pick<Task, 'agent' | 'team' | 'agents'>): string {
  const several = task.agents.map((one) => one.agent).filter((name) => name != null);
  if (several.length > 1) return several.join(', ');
  return task.agent ?? several[0] ?? (task.team ? `team ${task.team}` : 'any agent');
}

/** What a reader asks for with Shift R: another try, or a run. */
export function retryOrRun(task: Asked): TaskAction | null {
  const offered = actionsOf(task);
  return offered.includes('retry') ? 'retry' : offered.includes('run') ? 'run' : null;
}

const COUNTS_DOWN: Record<string, string> = { retry: 'retry', scheduled: 'starts' };

// The name says which task it waits for; its id is behind the link beside it.
function withoutId({ text, task_id }: WhyNotRunning): string {
  if (!task_id) return text;
  const standing = new RegExp(`task ${task_id} \\((.*?), (${TASK_STATUSES.join('|')})\\)`);
  if (standing.test(text)) return text.replace(standing, (_all, name: string, status: string) => `${name} (${statusWord(status)})`);
  return text.replace(new RegExp(`task ${task_id} \\((.*?)\\)(?=, which|$)`), '$1');
}

/** A refusal without the id that stands beside it. */
export const refusalText = (refusal: { task_id: string; reason: string }): string =>
  refusal.reason.replace(`task ${refusal.task_id} `, '');

/** Why a task does not run, at this moment: waits for a known time count down. */
export function whyText(why: WhyNotRunning, leftMs: number | null, duration: (ms: number) => string): string {
  const what = COUNTS_DOWN[why.code];
  if (what === undefined || leftMs === null) return withoutId(why);
  return leftMs > 0 ? `${what} in ${duration(leftMs)}` : `${what} now`;
}
