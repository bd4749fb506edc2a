/** Copies what others are to see: a link, or a summary in Markdown. */

import { totalTokens } from '../../core/format';
import { STATUSES } from '../../core/kinds';
import { tokensOf } from '../../core/rollup';
import { formatRunView } from '../../core/runview';
import { shareMarkdown, type Shared } from '../../core/sharetext';
import { announcer } from '../../state/announcer.svelte';
import { copyText } from '../../state/clipboard';
import type { RunModel } from '../../state/run/model.svelte';

/** To the picture as it is now; nothing secret is ever part of an address. */
export function linkTo(model: RunModel): string {
  return location.origin + location.pathname + formatRunView(model.viewState());
}

export async function copyLink(model: RunModel): Promise<void> {
  await copyText(linkTo(model));
  announcer.confirm('link copied');
}

export async function copyMarkdown(model: RunModel): Promise<void> {
  const run = model.summary;
  if (!run) return;
  const whole: Shared = {
    name: run.name,
    kind: 'run',
    status: run.status,
    durationMs: run.duration_ms,
    tokens: totalTokens(run.input_tokens, run.output_tokens),
    cost: run.cost_usd,
  };
  await copyText(shareMarkdown(whole, selectedSpan(model), linkTo(model)));
  announcer.confirm('summary copied');
}

function selectedSpan({ store, selectedId, tree }: RunModel): Shared | null {
  const row = store.rowOf(selectedId);
  if (row < 0 || !tree) return null;
  const ms = (store.end[row] - store.start[row]) / 1e6;
  return {
    name: store.nameOf(row),
    kind: store.kindOf(row),
    status: STATUSES[store.status[row]],
    durationMs: Number.isNaN(ms) ? null : ms,
    model: store.strings.text(store.model[row]),
    tokens: tokensOf(store, row) || null,
    cost: store.cost[row] || null,
    error: store.strings.text(store.error[row]),
  };
}
