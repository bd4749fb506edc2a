/** What is copied for others to read: a run, and a span of it, as a few lines of Markdown with a link. */

import { formatCost, formatTokens } from './format';
import { formatDuration } from './time';

export interface Shared {
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  /** Null while it runs. */
  readonly durationMs: number | null;
  readonly model?: string | null;
  readonly tokens?: number | null;
  readonly cost?: number | null;
  readonly error?: string | null;
}

/** span: null for the run alone. link: to what is on screen. */
export function shareMarkdown(run: Shared, span: Shared | null, link: string): string {
  const subject = span ?? run;
  const lines = [`[${escaped(subject.name)}](${link})`, `- ${facts(subject)}`];
  if (subject.error) lines.push(`- error: ${escaped(subject.error)}`);
  if (span) lines.push(`- in run ${escaped(run.name)}: ${facts(run)}`);
  return `${lines.join('\n')}\n`;
}

function facts({ kind, status, durationMs, model, tokens, cost }: Shared): string {
  const known = [
    kind,
    status,
    durationMs === null ? null : formatDuration(durationMs),
    model ? escaped(model) : null,
    tokens ? `${formatTokens(tokens)} tokens` : null,
    cost ? formatCost(cost) : null,
  ];
  return known.filter((fact) => fact !== null && fact !== '').join(' · ');
}

/** Names are text: what Markdown would read as markup is escaped, and a line stays one. */
function escaped(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#]/g, '\\$&');
}
