/** Generators of tasks and attempts for property tests. */

import fc from 'fast-check';
import { TASK_STATUSES, type Attempt, type Task } from './task';

export const DAY = Date.UTC(2026, 10, 21);
export const iso = (ms: number): string => new Date(ms).toISOString();

export function taskOf(id: string, some: Partial<Task> = {}): Task {
  return {
    id, name: 'extract', description: '', type: 'manual', status: 'pending', priority: 'medium', agents: [], settings: {},
    created_at: iso(DAY), updated_at: iso(DAY), agent: null, team: null, input: null, context: null, result: null,
    error_type: null, error_message: null, reason: null, deadline: null, deadline_at_risk: false, run_at: null,
    dependencies: [], dependents: [], tags: [], app: null, key: null, created_by: null, idempotency_key: null,
    schedule_id: null, scheduled_for: null, origin_run_id: null, origin_span_id: null, progress: null, phase: null,
    attempt: 0, failures: 0, losses: 0, last_run_id: null, next_run_at: null, estimated_completion: null,
    why_not_running: null, pause_requested: false, yield_requested: false, cancel_requested: false, started_at: null, finished_at: null,
    input_tokens: null, output_tokens: null, cost_usd: null, deliverables: [], expected_deliverables: [], ...some,
  };
}

export function attemptOf(attempt: number, leasedMs: number, some: Partial<Attempt> = {}): Attempt {
  return {
    task_id: 't', attempt, status: 'running', run_id: `run-${attempt}`, worker_id: 'w', leased_at: iso(leasedMs), agent: null,
    started_at: null, ended_at: null, duration_ms: null, progress: null, phase: null, result: null, error_type: null,
    error_message: null, error_stack: null, reason: null, retry_at: null, steps_reused: 0, checkpoint_count: 0,
    input_tokens: null, output_tokens: null, cost_usd: null, ...some,
  };
}

export const tasks: fc.Arbitrary<Task> = fc
  .record({ status: fc.constantFrom(...TASK_STATUSES), pause_requested: fc.boolean(), cancel_requested: fc.boolean() })
  .map((some) => taskOf('t', some));

/** Attempts one after the other, with waits between them; the last may still run. */
export const attemptLists: fc.Arbitrary<Attempt[]> = fc
  .tuple(fc.array(fc.record({ wait: fc.nat(4e6), starts: fc.option(fc.nat(500)), lasts: fc.nat(60_000), backoff: fc.nat(8_000) }), { maxLength: 8 }), fc.boolean())
  .map(([tries, running]) => {
    let at = DAY;
    return tries.map(({ wait, starts, lasts, backoff }, index) => {
      const leased = at + wait;
      at = leased + (starts ?? 0) + lasts;
      const open = running && index === tries.length - 1;
      const started = starts === null ? null : iso(leased + starts);
      return attemptOf(index + 1, leased, { started_at: started, ended_at: open ? null : iso(at), retry_at: iso(at + backoff) });
    });
  });
