/** What is put to people, as the collector tells of it, and what a reader may say to it. Field names are the wire's. */

import { taskPath, runPath } from './route';

export const ASK_STATUSES = ['open', 'approved', 'rejected', 'answered', 'expired', 'cancelled', 'invalidated'] as const;
export const ASK_KINDS = ['approval', 'question', 'budget'] as const;
export type AskStatus = (typeof ASK_STATUSES)[number];
export type AskKind = (typeof ASK_KINDS)[number];

export interface AskOption {
  name: string;
  label?: string | null;
  /** Whether choosing it says yes; absent: it does. */
  approves?: boolean;
}

/** What one person said. Fields with a default are absent when they have it. */
export interface Decision {
  decision: 'approve' | 'reject' | 'edit' | 'answer' | 'delegate';
  at: string;
  via: string;
  by?: string | null;
  team?: string | null;
  reason?: string;
  option?: string | null;
  to?: string[];
}

export interface Answer {
  status: AskStatus;
  decided_at: string;
  option?: string | null;
  edited?: boolean;
  action?: unknown;
  value?: unknown;
  reason?: string;
  by?: string | null;
}

export interface Ask {
  id: string;
  kind: AskKind;
  status: AskStatus;
  key: string;
  title: string;
  details: string;
  action: unknown;
  action_digest: string;
  options: AskOption[];
  schema: Record<string, unknown> | null;
  approvers: string[];
  quorum: number;
  approvals: number;
  on_expiry: string;
  created_at: string;
  expires_at: string | null;
  decisions: Decision[];
  edited_action: unknown;
  edited_digest: string | null;
  closed_at: string | null;
  task_id: string | null;
  task_name: string | null;
  agent: string | null;
  attempt: number | null;
  run_id: string | null;
  span_id: string | null;
  received_at: string | null;
  alarmed_at: string | null;
  answer: Answer | null;
  consumed_by: number | null;
}

/** Something that happened to an ask. */
export interface AskEvent {
  ask_id: string;
  event: string;
  time: string;
  task_id?: string | null;
  run_id?: string | null;
}

/** What a reader can do with an ask. */
export type AskMove = 'approve' | 'reject' | 'edit' | 'answer' | 'delegate';

/** What an ask takes, the most likely first. */
export function movesOf(ask: Ask): AskMove[] {
  if (ask.status !== 'open') return [];
  const moves: AskMove[] = ask.kind === 'question' ? ['answer'] : ['approve'];
  if (ask.kind === 'approval' && hasAction(ask)) moves.push('edit');
  return [...moves, 'reject', 'delegate'];
}

export const hasAction = (ask: Ask): boolean => ask.action !== null && ask.action !== undefined;

/** The action as it stands: as somebody has edited it, or as it was asked for. */
export const currentAction = (ask: Ask): unknown => (ask.edited_digest === null ? ask.action : ask.edited_action);

/** Of the action that is on screen: the collector refuses a decision about another one. */
export const currentDigest = (ask: Ask): string => ask.edited_digest ?? ask.action_digest;

/** Options that say yes, or no. */
export function optionsOf(ask: Ask, approving: boolean): AskOption[] {
  return ask.options.filter((option) => (option.approves ?? true) === approving);
}

export const optionLabel = (option: AskOption): string => option.label || option.name;

/** The name of an approver: `team:NAME` as "team NAME". */
export const approverName = (approver: string): string => approver.replace(/^team:/, 'team ');

/** Which of an ask's teams a reader could decide for: those are named where he is not. */
export function teamsToDecideFor(ask: Ask, me: string): string[] {
  if (ask.approvers.length === 0 || ask.approvers.includes(me)) return [];
  return ask.approvers.filter((name) => name.startsWith('team:')).map((name) => name.slice(5));
}

/** Why a reader of this name cannot decide; null: he may. */
export function whyNotMine(ask: Ask, me: string): string | null {
  if (ask.approvers.length > 0 && !me) return `This is for ${ask.approvers.map(approverName).join(', ')}: say who you are first.`;
  if (ask.quorum > 1 && !me) return `${ask.quorum} different people must approve this: say who you are first.`;
  if (ask.approvers.length === 0 || ask.approvers.includes(me) || teamsToDecideFor(ask, me).length > 0) return null;
  return `This is for ${ask.approvers.map(approverName).join(', ')}, not for ${me}.`;
}

/** How much time an ask has: what is left, as a part of what it had, 1 at first and 0 at the end. null: it does not expire. */
export function timeLeft(ask: Pick<Ask, 'created_at' | 'expires_at'>, nowMs: number): { ms: number; part: number } | null {
  if (ask.expires_at === null) return null;
  const [from, to] = [Date.parse(ask.created_at), Date.parse(ask.expires_at)];
  const ms = Math.max(0, to - nowMs);
  return { ms, part: to > from ? Math.min(1, ms / (to - from)) : 0 };
}

export const ON_EXPIRY: Readonly<Record<string, string>> = {
  continue: 'the work goes on and is told',
  fail: 'the task fails',
  cancel: 'the task is cancelled',
};

const SAID: Readonly<Record<Decision['decision'], string>> = {
  approve: 'approved', reject: 'rejected', edit: 'edited and approved', answer: 'answered', delegate: 'delegated',
};

/** What a decision was, in words: "approved “later”", "delegated to bo, team night". */
export function decisionText(decision: Decision): string {
  const said = SAID[decision.decision];
  if (decision.decision === 'delegate') return `${said} to ${(decision.to ?? []).map(approverName).join(', ')}`;
  return decision.option ? `${said} “${decision.option}”` : said;
}

/** Who said it and how it came: "ann for team night, by link". */
export function deciderText(decision: Pick<Decision, 'by' | 'team' | 'via'>): string {
  const who = decision.by ?? 'somebody';
  return `${who}${decision.team ? ` for team ${decision.team}` : ''}, via ${decision.via}`;
}

/** Where the question comes from: its task, else its run. */
export function originPath(ask: Pick<Ask, 'task_id' | 'run_id'>): string | null {
  if (ask.task_id) return taskPath(ask.task_id);
  return ask.run_id ? runPath(ask.run_id) : null;
}

/** Where a list's cursor goes when what it was on has left: to what took its place. */
export function nextCurrent(before: readonly { id: string }[], after: readonly { id: string }[], current: string | null): string | null {
  if (after.length === 0) return null;
  if (current === null || after.some((ask) => ask.id === current)) return current;
  const place = before.findIndex((ask) => ask.id === current);
  const remaining = new Set(after.map((ask) => ask.id));
  const next = before.slice(place + 1).find((ask) => remaining.has(ask.id)) ?? before.slice(0, Math.max(0, place)).reverse().find((ask) => remaining.has(ask.id));
  return next?.id ?? after[0].id;
}

/**
 * A list that must not move: what is in it stays in its place, as it stands now or as it last was, and what is new comes
 * at the end. gone: what the fresh list has no more.
 */
export function mergeHeld<T extends { id: string }>(shown: readonly T[], fresh: readonly T[]): { asks: T[]; gone: Set<string> } {
  const now = new Map(fresh.map((ask) => [ask.id, ask]));
  const known = new Set(shown.map((ask) => ask.id));
  const asks = [...shown.map((ask) => now.get(ask.id) ?? ask), ...fresh.filter((ask) => !known.has(ask.id))];
  return { asks, gone: new Set(shown.filter((ask) => !now.has(ask.id)).map((ask) => ask.id)) };
}
