/** What tasks hand over, and how much of it may be shown in a page. */

/** A version of a deliverable; attempt is null when a person attached it. */
export interface Deliverable {
  name: string;
  version: number;
  type: string;
  content_type: string;
  size_bytes: number;
  sha256: string;
  created_at: string;
  task_id: string | null;
  attempt: number | null;
  run_id: string | null;
  span_id: string | null;
  agent: string | null;
  by: string | null;
}

/** What a task is to hand over. Fields with a default are absent when they have it. */
export interface ExpectedDeliverable {
  met: boolean;
  type?: string | null;
  name?: string | null;
  required?: boolean;
  content_types?: string[];
  max_bytes?: number | null;
  attached?: string | null;
  version?: number | null;
  problem?: string;
}

export type PreviewKind = 'text' | 'json' | 'image' | 'none';

export const TEXT_LIMIT = 256 * 1024;
export const JSON_LIMIT = 1024 * 1024;
export const IMAGE_LIMIT = 10 * 1024 * 1024;

/** Bitmaps only: an SVG is a document that can run scripts and load what it likes. */
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp']);
const TEXTS = new Set(['application/x-ndjson', 'application/yaml', 'application/toml', 'application/sql']);

/** How a content can be shown, whatever it holds: as text, as a JSON tree, as a bitmap, or not at all. */
export function previewKind({ content_type, size_bytes }: Deliverable): PreviewKind {
  const kind = (content_type.split(';')[0] ?? '').trim().toLowerCase();
  if (IMAGES.has(kind)) return size_bytes <= IMAGE_LIMIT ? 'image' : 'none';
  if (kind === 'application/json' || kind.endsWith('+json')) return size_bytes <= JSON_LIMIT ? 'json' : 'text';
  // Sources of pages and drawings are shown as what they are: text.
  if (kind.startsWith('text/') || TEXTS.has(kind) || kind.endsWith('/xml') || kind.endsWith('+xml')) return 'text';
  return 'none';
}

/** The address of a content; download: to be saved whatever it is. */
export function contentAddress(one: Deliverable, download = false): string {
  const owner = one.task_id ? `tasks/${encodeURIComponent(one.task_id)}` : `runs/${encodeURIComponent(one.run_id ?? '')}`;
  const query = `version=${one.version}${download ? '&download=true' : ''}`;
  return `api/${owner}/deliverables/${encodeURIComponent(one.name)}/content?${query}`;
}

/** What is expected, in words: a name, a type, or both. */
export function expectedText({ name, type }: ExpectedDeliverable): string {
  const typed = type ? `type ${type}` : '';
  return name && typed ? `${name} of ${typed}` : name || typed;
}

/** What a result says of itself beside its value, see milepost.Result. */
export interface SaidResult {
  summary: string;
  insights: string[];
  recommendations: string[];
  rest: unknown;
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');

/** A result taken apart; null when it says nothing of itself, or uses the names for something else. */
export function saidResult(result: unknown): SaidResult | null {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return null;
  const { summary = '', insights = [], recommendations = [], ...others } = result as Record<string, unknown>;
  if (typeof summary !== 'string' || !isTexts(insights) || !isTexts(recommendations)) return null;
  if (!summary && insights.length + recommendations.length === 0) return null;
  const names = Object.keys(others);
  const rest = names.length === 1 && names[0] === 'value' ? others.value : names.length > 0 ? others : undefined;
  return { summary, insights, recommendations, rest };
}
