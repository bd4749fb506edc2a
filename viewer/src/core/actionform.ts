/** The form of an action on a task: texts of fields to the request's body, or what is wrong with a field. */

import type { TaskAction } from './task';
import { parseJsonField } from './taskform';

export interface ActionForm {
  reason: string;
  reassign: string;
  /** The number of the checkpoint to go on from; empty for the newest. */
  checkpoint: string;
  input: string;
  context: string;
  result: string;
  agent: string;
  team: string;
}

/** What a field holds that cannot be sent. */
export class WrongField extends Error {
  constructor(
    readonly field: keyof ActionForm,
    message: string,
  ) {
    super(message);
  }
}

const TELLS_WHO: readonly TaskAction[] = ['cancel', 'pause', 'resume', 'retry', 'edit', 'redirect', 'complete'];
const TELLS_WHY: readonly TaskAction[] = ['cancel', 'pause', 'edit', 'redirect', 'complete'];

export const takesReason = (action: TaskAction): boolean => TELLS_WHY.includes(action);

export function emptyActionForm(): ActionForm {
  return { reason: '', reassign: '', checkpoint: '', input: '', context: '', result: '', agent: '', team: '' };
}

/**
 * The body of an action's request. before: texts that an edit began with: what is as it was is not sent. by: who acts.
 * Throws WrongField.
 */
export function readAction(action: TaskAction, form: ActionForm, before: ActionForm, by: string): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  if (action === 'retry' && form.reassign) body.reassign = form.reassign === 'yes';
  if (action === 'retry' && form.checkpoint) body.checkpoint = Number(form.checkpoint);
  if (action === 'run') addJson(body, form, 'input');
  if (action === 'complete') addJson(body, form, 'result');
  if (action === 'edit') addEdits(body, form, before);
  if (action === 'redirect') addExecutor(body, form);
  if (takesReason(action) && form.reason.trim()) body.reason = form.reason.trim();
  if (TELLS_WHO.includes(action) && by) body.by = by;
  return body;
}

function addEdits(body: Record<string, unknown>, form: ActionForm, before: ActionForm): void {
  for (const field of ['input', 'context'] as const) {
    if (form[field].trim() === before[field].trim()) continue;
    if (form[field].trim()) addJson(body, form, field);
    else body[field] = null;
  }
  if (Object.keys(body).length === 0) throw new WrongField('input', 'nothing is changed yet');
  body.interrupt = true; // of a task that runs; of others it means nothing
}

function addExecutor(body: Record<string, unknown>, form: ActionForm): void {
  const [agent, team] = [form.agent.trim(), form.team.trim()];
  if (agent && team) throw new WrongField('team', 'an agent is given too; leave one of them empty');
  if (agent) body.agent = agent;
  if (team) body.team = team;
}

function addJson(body: Record<string, unknown>, form: ActionForm, field: 'input' | 'context' | 'result'): void {
  if (!form[field].trim()) return;
  try {
    body[field] = parseJsonField(form[field]);
  } catch (cause) {
    throw new WrongField(field, (cause as Error).message);
  }
}
