/** Kinds and statuses of spans: the words on the wire, folded into the few that carry a hue and a shape. */

export const KIND_GROUPS = ['agent', 'task', 'llm', 'tool', 'retrieval', 'exec', 'human', 'check', 'io'] as const;
export type KindGroup = (typeof KIND_GROUPS)[number];

const GROUP_OF: Record<string, KindGroup> = {
  agent: 'agent',
  run: 'agent',
  task: 'task',
  step: 'task',
  chain: 'task',
  workflow: 'task',
  prompt: 'task',
  llm: 'llm',
  tool: 'tool',
  retrieval: 'retrieval',
  embedding: 'retrieval',
  reranker: 'retrieval',
  memory: 'retrieval',
  exec: 'exec',
  code: 'exec',
  sandbox: 'exec',
  human: 'human',
  approval: 'human',
  assistance: 'human',
  guardrail: 'check',
  evaluator: 'check',
  check: 'check',
};

/** Kinds whose shape is not their group's: the hue tells the group, the shape the kind. */
export const SHAPED_KINDS = ['embedding', 'reranker', 'memory', 'prompt', 'guardrail', 'evaluator', 'http', 'db', 'rpc', 'messaging'] as const;
export type ShapedKind = (typeof SHAPED_KINDS)[number];

/** One kind per mark, for the legend. */
export const KNOWN_KINDS = [
  ...['agent', 'task', 'prompt', 'llm', 'tool', 'retrieval', 'embedding', 'reranker', 'memory', 'exec', 'human', 'evaluator'],
  ...['guardrail', 'http', 'rpc', 'db', 'messaging', 'other'],
] as const;

/** The group of a kind; kinds nobody has named here are `io`, the neutral one. */
export function kindGroup(kind: string): KindGroup {
  return Object.hasOwn(GROUP_OF, kind) ? GROUP_OF[kind] : 'io';
}

/** The name of a kind's mark. */
export function kindShape(kind: string): KindGroup | ShapedKind {
  return SHAPED_KINDS.find((shaped) => shaped === kind) ?? kindGroup(kind);
}

export const STATUSES = ['running', 'completed', 'failed', 'skipped', 'cancelled', 'lost'] as const;
export type Status = (typeof STATUSES)[number];

/** A status's index, for typed arrays; what is not known counts as completed, so that no bar grows for ever. */
export function statusIndex(status: string): number {
  const index = STATUSES.indexOf(status as Status);
  return index < 0 ? 1 : index;
}

/**
 * How final a status is. A report never replaces a more final one, which makes the order of reports irrelevant:
 * `running` gives way to `lost`, and `lost` to the real end if that arrives after all.
 */
export function finality(status: string): number {
  if (status === 'running') return 0;
  return status === 'lost' ? 1 : 2;
}

export const RUNNING = statusIndex('running');
export const FAILED = statusIndex('failed');
export const SKIPPED = statusIndex('skipped');
export const CANCELLED = statusIndex('cancelled');
export const LOST = statusIndex('lost');
