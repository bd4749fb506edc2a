/** Links of a span to spans of this or another run, as its exporter sent them. */

export interface SpanLink {
  /** null when the link is not one this viewer can follow; `raw` is what was sent. */
  readonly runId: string | null;
  readonly spanId: string | null;
  readonly attributes: Record<string, unknown> | null;
  readonly raw: unknown;
}

const RUN_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

export function readLinks(links: unknown): SpanLink[] {
  return Array.isArray(links) ? links.map(readLink) : [];
}

function readLink(raw: unknown): SpanLink {
  const fields = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>;
  const { run_id, span_id, attributes } = fields;
  const runId = typeof run_id === 'string' && RUN_ID.test(run_id) ? run_id : null;
  const spanId = typeof span_id === 'string' && SPAN_ID.test(span_id) ? span_id : null;
  return { runId, spanId, raw, attributes: runId !== null && hasFields(attributes) ? attributes : null };
}

function hasFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
