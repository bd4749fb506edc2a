/** A whole run's spans by column, as they come from the collector: a hundred thousand objects would be waste. */

import type { SpanSkeleton } from './spans';

export type TextField =
  'span_id' | 'parent_span_id' | 'name' | 'kind' | 'status' | 'agent' | 'model' | 'error_type' | 'service' | 'tool' | 'task_id';

export type FigureField = Exclude<keyof SpanSkeleton, TextField>;

/** The code of a span that has no text. */
export const NO_TEXT = -1;

/** The texts of some spans, in order: numbers into `texts`. */
export interface TextPiece {
  readonly codes: Int16Array | Int32Array;
  readonly texts: readonly string[];
}

export interface SpanColumns {
  readonly count: number;
  /** In pieces that make up the column; none when no span has such a text. */
  texts(field: TextField): TextPiece[];
  /** By span, NaN where there is none; null when no span has such a figure. */
  figures(field: FigureField): Float64Array | null;
}

/** The texts one after the other, null where there is none. */
export function unfolded(pieces: readonly TextPiece[], count: number): (string | null)[] {
  const texts: (string | null)[] = new Array(count).fill(null);
  let row = 0;
  for (const piece of pieces) for (const code of piece.codes) texts[row++] = code === NO_TEXT ? null : piece.texts[code];
  return texts;
}

/** Yields one object over and over, with each span's values. */
export function* spansOf(columns: SpanColumns): Generator<SpanSkeleton> {
  const texts = (field: TextField) => unfolded(columns.texts(field), columns.count);
  const figures = (field: FigureField) => columns.figures(field) ?? new Float64Array(columns.count).fill(NaN);
  const fields = [...TEXT_FIELDS.map((field) => [field, texts(field)] as const), ...FIGURE_FIELDS.map((field) => [field, figures(field)] as const)];
  const span: Record<string, unknown> = {};
  for (let i = 0; i < columns.count; i++) {
    for (const [field, values] of fields) span[field] = Number.isNaN(values[i]) ? null : values[i];
    yield span as unknown as SpanSkeleton;
  }
}

const TEXT_FIELDS: readonly TextField[] = [
  ...(['span_id', 'parent_span_id', 'name', 'kind', 'status', 'agent', 'model', 'error_type', 'service', 'tool', 'task_id'] as const),
];
const FIGURE_FIELDS: readonly FigureField[] = [
  ...(['start_ns', 'end_ns', 'time_to_first_token_ms', 'attempt', 'cost_usd'] as const),
  ...(['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'] as const),
];
