/** Queries that were run before, the newest first. Pinned ones stay; of the others the last hundred. */

export interface HistoryEntry {
  readonly sql: string;
  /** When it was run last, Unix milliseconds. */
  readonly at: number;
  readonly durationMs: number | null;
  readonly rows: number | null;
  readonly error: string | null;
  readonly pinned: boolean;
}

export const MAX_ENTRIES = 100;
const MAX_BYTES = 400_000; // of local storage, which ends at some 5 MB for everything

/** The history after a query was run; the same text run again moves to the top. */
export function remembered(entries: readonly HistoryEntry[], ran: Omit<HistoryEntry, 'pinned'>): HistoryEntry[] {
  const before = entries.find((entry) => entry.sql === ran.sql);
  const others = entries.filter((entry) => entry.sql !== ran.sql);
  return bounded([{ ...ran, pinned: before?.pinned ?? false }, ...others]);
}

function bounded(entries: readonly HistoryEntry[]): HistoryEntry[] {
  let [count, bytes] = [0, 0];
  return entries.filter((entry) => {
    if (entry.pinned) return true;
    bytes += entry.sql.length;
    return ++count <= MAX_ENTRIES && bytes <= MAX_BYTES;
  });
}

export function withPin(entries: readonly HistoryEntry[], sql: string, pinned: boolean): HistoryEntry[] {
  return entries.map((entry) => (entry.sql === sql ? { ...entry, pinned } : entry));
}

/** Entries with all words of the text in them, pinned ones first. */
export function found(entries: readonly HistoryEntry[], text: string): HistoryEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = entries.filter((entry) => words.every((word) => entry.sql.toLowerCase().includes(word)));
  return [...matching.filter((entry) => entry.pinned), ...matching.filter((entry) => !entry.pinned)];
}

/** What storage holds, or nothing when that is no history. */
export function readHistory(text: string | null): HistoryEntry[] {
  try {
    const entries: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(entries) ? entries.filter(isEntry) : [];
  } catch {
    return []; // written by something else: a history may begin anew
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  const entry = value as HistoryEntry | null;
  return typeof entry?.sql === 'string' && typeof entry.at === 'number' && typeof entry.pinned === 'boolean';
}
