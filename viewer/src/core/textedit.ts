/** What keys do to a text beyond typing: each edit replaces one extent and says what is selected then. */

export interface Selection {
  readonly start: number;
  readonly end: number;
}

/** Replace what lies from `from` to before `until`. */
export interface Edit {
  readonly from: number;
  readonly until: number;
  readonly insert: string;
  readonly selection: Selection;
}

/** A new line that begins where the one before it does. */
export function newLine(text: string, { start, end }: Selection): Edit {
  const indent = /^[ \t]*/.exec(text.slice(lineStart(text, start), start))?.[0] ?? '';
  const insert = `\n${indent}`;
  return { from: start, until: end, insert, selection: at(start + insert.length) };
}

/** Comments out the lines of a selection, or takes the comment away when all of them are. */
export function toggleComment(text: string, selection: Selection): Edit {
  const [from, until] = linesOf(text, selection);
  const lines = text.slice(from, until).split('\n');
  const filled = lines.filter((line) => line.trim() !== '');
  const all = filled.length > 0 && filled.every((line) => line.trimStart().startsWith('--'));
  const insert = lines.map((line) => (all ? line.replace(/^(\s*)-- ?/, '$1') : line.trim() === '' ? line : `-- ${line}`)).join('\n');
  const by = insert.length - (until - from);
  const first = insert.indexOf('\n') < 0 ? by : insert.indexOf('\n') - lines[0].length;
  const start = Math.max(from, selection.start + first);
  return { from, until, insert, selection: { start, end: Math.max(start, selection.end + by) } };
}

/** Moves the lines of a selection above the line before them, or below the one after; null at the edge. */
export function moveLines(text: string, selection: Selection, down: boolean): Edit | null {
  const [from, until] = linesOf(text, selection);
  const own = text.slice(from, until);
  if (down ? until >= text.length : from === 0) return null;
  const moved = (by: number): Selection => ({ start: selection.start + by, end: Math.min(selection.end, until) + by });
  if (down) {
    const next = text.slice(until + 1, lineEnd(text, until + 1));
    const insert = `${next}\n${own}`;
    return { from, until: until + 1 + next.length, insert, selection: moved(next.length + 1) };
  }
  const begin = lineStart(text, from - 1);
  const before = text.slice(begin, from - 1);
  return { from: begin, until, insert: `${own}\n${before}`, selection: moved(-before.length - 1) };
}

/** The text after an edit. */
export function edited(text: string, { from, until, insert }: Edit): string {
  return text.slice(0, from) + insert + text.slice(until);
}

function at(place: number): Selection {
  return { start: place, end: place };
}

/** The extent of the lines that a selection touches; one that ends where a line begins does not touch that line. */
function linesOf(text: string, { start, end }: Selection): readonly [number, number] {
  const last = end > start && text[end - 1] === '\n' ? end - 1 : end;
  return [lineStart(text, start), lineEnd(text, last)];
}

function lineStart(text: string, place: number): number {
  return place <= 0 ? 0 : text.lastIndexOf('\n', place - 1) + 1;
}

function lineEnd(text: string, place: number): number {
  const end = text.indexOf('\n', place);
  return end < 0 ? text.length : end;
}
