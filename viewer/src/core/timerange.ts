/** From when to when runs started: as addresses carry it ("now-24h", ISO 8601), as readers type it and as they read it. */

import { fromWallTime, isoToMs, wallClock } from './time';

export interface TimeRange {
  /** "" for no bound, "now-…" or ISO 8601. */
  readonly from: string;
  readonly to: string;
}

export const PRESETS: readonly (readonly [from: string, title: string])[] = [
  ['', 'Any time'],
  ['now-15m', 'Last 15 minutes'],
  ['now-1h', 'Last hour'],
  ['now-6h', 'Last 6 hours'],
  ['now-24h', 'Last 24 hours'],
  ['now-7d', 'Last 7 days'],
  ['now-30d', 'Last 30 days'],
];

const UNIT_MS: Record<string, number> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 };
const RELATIVE = /^now(?:-(\d{1,9})([smhdw]))?$/;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?$/;

/** Milliseconds since the epoch of a bound; null when it is none. */
export function boundMs(text: string, nowMs: number): number | null {
  const relative = RELATIVE.exec(text);
  if (relative) return nowMs - (relative[1] ? Number(relative[1]) * UNIT_MS[relative[2]] : 0);
  try {
    return isoToMs(text);
  } catch {
    return null; // whoever typed it is told by the collector, which refuses it
  }
}

/** A bound as it was typed ("now-3h", "2026-11-21 07:30" in the reader's zone, ISO 8601), for an address; null when it is none. */
export function readBound(typed: string): string | null {
  const text = typed.trim();
  if (text === '' || RELATIVE.test(text)) return text;
  const local = LOCAL.exec(text);
  if (!local) return boundMs(text, 0) === null ? null : text;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0'] = local;
  const ms = fromWallTime(+year, +month, +day, +hour, +minute, +second) + Number(fraction.padEnd(3, '0'));
  const clock = wallClock(ms); // 30 February is another day
  const held = clock.getUTCMonth() === +month - 1 && clock.getUTCDate() === +day && +hour < 24 && +minute < 60 && +second < 60;
  return held ? new Date(ms).toISOString() : null;
}

/** A bound as a reader may change it: what readBound takes, in the reader's zone. */
export function writeBound(bound: string): string {
  if (bound === '' || RELATIVE.test(bound)) return bound;
  const ms = boundMs(bound, 0);
  return ms === null ? bound : wallText(wallClock(ms));
}

/** To the minute, or as exact as it is. */
function wallText(clock: Date): string {
  const text = clock.toISOString().replace('T', ' ');
  if (clock.getUTCMilliseconds() > 0) return text.slice(0, 23);
  return text.slice(0, clock.getUTCSeconds() > 0 ? 19 : 16);
}

/** "Last hour", "2026-11-21 07:30 – 09:00", "from now-3h", "before 2026-11-21 09:00". */
export function describeRange({ from, to }: TimeRange): string {
  const preset = PRESETS.find(([value]) => value === from);
  if (!to || to === 'now') return preset ? preset[1] : `from ${writeBound(from)}`;
  if (!from) return `before ${writeBound(to)}`;
  const [start, end] = [writeBound(from), writeBound(to)];
  const sameDay = start.slice(0, 11) === end.slice(0, 11) && /^\d{4}-/.test(start);
  return `${start} – ${sameDay ? end.slice(11) : end}`;
}

/** What is wrong with a range, or null. */
export function rangeProblem({ from, to }: TimeRange, nowMs: number): string | null {
  if (!from || !to) return null;
  const [low, high] = [boundMs(from, nowMs), boundMs(to, nowMs)];
  return low !== null && high !== null && low >= high ? 'from is not before to' : null;
}

/** The same instant as an address carries it: to the millisecond, in UTC. */
export function boundAt(ms: number): string {
  return new Date(ms).toISOString();
}

/** A range twice as wide around the same middle, no later than now. */
export function widened(lowMs: number, highMs: number, nowMs: number): TimeRange {
  const half = (highMs - lowMs) / 2;
  const high = highMs + half;
  return { from: boundAt(lowMs - half), to: high >= nowMs ? '' : boundAt(high) };
}
