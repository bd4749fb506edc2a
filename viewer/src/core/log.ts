/** The run's log: everything that was reported on the way, line by line in order of time. */

import type { EventItem, Mark } from './events';
import { FAILED, LOST, STATUSES } from './kinds';
import type { SpanStore } from './spans';
import type { Tree } from './tree';
import { LEVELS, type Level } from './viewoptions';

export interface LogLine {
  readonly key: string;
  /** Nanoseconds after the store's origin, as it is drawn. */
  readonly time: number;
  readonly level: Level;
  /** What it is, in a word: the severity, or the kind of event. */
  readonly word: string;
  readonly text: string;
  readonly spanId: string | null;
  readonly event: EventItem | null;
}

const WORDS_OF_LEVELS: Readonly<Record<string, Level>> = { trace: 'debug', warning: 'warn', fatal: 'error', critical: 'error', exception: 'error' };

export function levelOf({ severity, kind }: EventItem): Level {
  const word = (severity ?? kind).toLowerCase();
  return LEVELS.find((level) => level === word) ?? WORDS_OF_LEVELS[word] ?? 'info';
}

/** timeOf: when an event is drawn, after the store's origin. */
export function eventLines(marks: readonly Mark[], timeOf: (mark: Mark) => number): LogLine[] {
  const seen = new Map<string, number>();
  return marks.map((mark) => {
    const { event } = mark;
    // Events have no id; those that agree in all of this are told apart by their number.
    const name = `${event.time} ${event.kind} ${event.span_id ?? ''}`;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return {
      key: `${name} ${count}`,
      time: timeOf(mark),
      level: levelOf(event),
      word: event.severity ?? (event.kind === 'log' ? 'info' : event.kind),
      text: eventText(event),
      spanId: event.span_id ?? null,
      event,
    };
  });
}

export function eventText({ name, message, fraction }: EventItem): string {
  const share = fraction == null ? '' : `${Math.round(fraction * 100)} %`;
  return [name && name !== message ? name : '', share, message ?? ''].filter(Boolean).join('  ');
}

/** A line for each span's start, and one for its end when it has ended. */
export function spanLines(store: SpanStore, tree: Tree): LogLine[] {
  const lines: LogLine[] = [];
  for (let row = 0; row < tree.spanCount; row++) {
    const [spanId, name, kind] = [store.ids[row], store.nameOf(row), store.kindOf(row)];
    lines.push({ key: `${spanId} start`, time: tree.start[row], level: 'debug', word: 'started', text: `${name}  ${kind}`, spanId, event: null });
    if (Number.isNaN(tree.end[row])) continue;
    const failed = store.status[row] === FAILED;
    const error = store.strings.texts[store.error[row]];
    lines.push({
      key: `${spanId} end`,
      time: tree.end[row],
      level: failed ? 'error' : store.status[row] === LOST ? 'warn' : 'debug',
      word: STATUSES[store.status[row]],
      text: `${name}  ${kind}${failed && error ? `  ${error}` : ''}`,
      spanId,
      event: null,
    });
  }
  return lines;
}

/** Lines in order of time; those at the same time in the order given. */
export function mergeLines(...lists: readonly LogLine[][]): LogLine[] {
  return lists.flat().sort((a, b) => a.time - b.time);
}

export interface LogFilter {
  readonly level: Level;
  /** In lower case; all must be in a line's text, its kind or the name of its span. */
  readonly words: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly nameOf: (spanId: string) => string;
}

export function filterLines(lines: readonly LogLine[], filter: LogFilter): LogLine[] {
  const least = LEVELS.indexOf(filter.level);
  return lines.filter((line) => {
    if (LEVELS.indexOf(line.level) < least || line.time < filter.from || line.time > filter.to) return false;
    if (filter.words.length === 0) return true;
    const text = `${line.text}\n${line.word}\n${line.spanId === null ? '' : filter.nameOf(line.spanId)}`.toLowerCase();
    return filter.words.every((word) => text.includes(word));
  });
}
