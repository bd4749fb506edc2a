/** A span as JSON text, for the clipboard. */

import { fetchSpan, PAYLOAD_LIMIT } from '../../api/client';
import { formatJson } from '../../core/json';
import { announcer } from '../../state/announcer.svelte';
import { copyText } from '../../state/clipboard';
import type { RunModel } from '../../state/run/model.svelte';

export async function copySpanJson(model: RunModel): Promise<void> {
  const id = model.selectedId ?? model.rootId();
  if (id === null || model.store.rowOf(id) < 0) return;
  try {
    await copyText(formatJson(await fetchSpan(model.runId, id, PAYLOAD_LIMIT)));
    announcer.confirm('span copied');
  } catch (cause) {
    announcer.confirm(`not copied: ${String(cause)}`);
  }
}
