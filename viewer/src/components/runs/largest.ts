/** The largest figures of a list, which its micro-bars are shares of. */

import { totalTokens } from '../../core/format';
import type { RunSummary } from '../../core/runlist';

export interface Largest {
  readonly durationMs: number;
  readonly tokens: number;
  readonly costUsd: number;
}

export function largestOf(runs: readonly RunSummary[]): Largest {
  const largest = { durationMs: 1, tokens: 1, costUsd: 0 };
  for (const run of runs) {
    largest.durationMs = Math.max(largest.durationMs, run.duration_ms ?? 0);
    largest.tokens = Math.max(largest.tokens, totalTokens(run.input_tokens, run.output_tokens) ?? 0);
    largest.costUsd = Math.max(largest.costUsd, run.cost_usd ?? 0);
  }
  return largest;
}
