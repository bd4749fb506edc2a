/**
 * Times as the collector sends them and as people read them.
 *
 * Absolute times are ISO 8601 with up to nine fractional digits, which a double cannot hold, so they are parsed to
 * nanoseconds in a bigint. Inside a run all times are nanoseconds after an origin and fit a double exactly
 * (2^53 ns are 104 days).
 */

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
const WALL_TIME = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?)?$/;
const NS_PER_MS = 1_000_000n;
const WALL_CLOCK = {
  calendar: 'gregory', hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric',
  second: 'numeric',
} as const;

/** Nanoseconds since the Unix epoch. Throws RangeError for text that is not an ISO 8601 time with a zone. */
export function parseIsoNs(text: string): bigint {
  const match = ISO.exec(text);
  if (!match) throw new RangeError(`not an ISO 8601 time with a zone: ${JSON.stringify(text)}`);
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match;
  const ms = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) - zoneOffsetMs(zone);
  return BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'));
}

function zoneOffsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const sign = zone[0] === '-' ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000;
}

/** The inverse of parseIsoNs: UTC with nine fractional digits. */
export function formatIsoNs(ns: bigint): string {
  const ms = floorDiv(ns, NS_PER_MS);
  const seconds = new Date(Number(ms)).toISOString().slice(0, 19);
  const withinSecond = ns - floorDiv(ns, 1_000_000_000n) * 1_000_000_000n;
  return `${seconds}.${withinSecond.toString().padStart(9, '0')}Z`;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** Milliseconds since the epoch, for Date; loses what is below a microsecond or so. */
export function isoToMs(text: string): number {
  const ns = parseIsoNs(text);
  return Number(ns / NS_PER_MS) + Number(ns % NS_PER_MS) / 1e6;
}

/** "340 µs", "1.24 s", "2 min 05 s", "2 h 00 min", "3 d 04 h": three figures that always carry their unit. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms < 0.0009995) return `${Math.round(ms * 1e6)} ns`;
  if (ms < 0.9995) return `${threeFigures(ms * 1e3)} µs`;
  if (ms < 999.5) return `${threeFigures(ms)} ms`;
  if (ms < 59_950) return `${threeFigures(ms / 1e3)} s`;
  return formatLongDuration(Math.round(ms / 1e3));
}

function formatLongDuration(seconds: number): string {
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

function threeFigures(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** A duration that is still growing, in whole seconds so that it ticks once a second. */
export function formatTicking(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds} s` : formatLongDuration(seconds);
}

/** "just now", "12 s ago", "3 min ago", "2 h ago", "5 d ago"; a date beyond four weeks. */
export function formatRelative(thenMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - thenMs) / 1000);
  if (seconds < -5) return `in ${formatLongUnit(-seconds)}`;
  if (seconds < 0) return 'now';
  if (seconds < 5) return 'just now';
  if (seconds > 28 * 86_400) return formatAbsolute(thenMs).slice(0, 10);
  return `${formatLongUnit(seconds)} ago`;
}

function formatLongUnit(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** "2026-11-21 07:30:00.123" in the reader's zone. */
export function formatAbsolute(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const wall = wallClock(ms).toISOString();
  return `${wall.slice(0, 10)} ${wall.slice(11, 23)}`;
}

/** A Date whose UTC fields are what clocks in the reader's zone show. */
export function wallClock(ms: number): Date {
  return new Date(Math.floor(ms) + zoneOffsetAt(ms));
}

/** How far the reader's zone is ahead of UTC at a moment, milliseconds. */
export function zoneOffsetAt(ms: number): number {
  if (chosenZone === 'UTC') return 0;
  if (chosenZone === null) return -new Date(ms).getTimezoneOffset() * 60_000;
  const parts = chosenFormat?.formatToParts(new Date(ms)) ?? [];
  const at = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second')) - Math.floor(ms / 1000) * 1000;
}

/**
 * The moment at which the reader's clocks show this; of a time that comes twice in autumn the first. One that a clock
 * change leaves out in spring is as much later as the clocks were put forward.
 */
export function fromWallTime(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const guess = wall - zoneOffsetAt(wall - 86_400_000); // by the offset of the day before: the earlier of two moments
  if (guess + zoneOffsetAt(guess) === wall) return guess;
  const other = wall - zoneOffsetAt(guess);
  return other + zoneOffsetAt(other) === wall ? other : guess;
}

/** Reads "2026-11-21" or "2026-11-21T07:30" (what date fields hold) in the reader's zone; NaN for anything else. */
export function parseWallTime(text: string): number {
  const [, year, month, day, hour = 0, minute = 0, second = 0] = WALL_TIME.exec(text) ?? [];
  return year === undefined ? NaN : fromWallTime(+year, +month, +day, +hour, +minute, +second);
}

/** The reader's zone, for the one place that names it: "UTC", "Europe/Berlin". */
export function zoneName(): string {
  return chosenZone ?? (ownZone ??= Intl.DateTimeFormat().resolvedOptions().timeZone); // takes 20 ms when it is first asked
}

let ownZone: string | null = null;
let chosenZone: string | null = null;
let chosenFormat: Intl.DateTimeFormat | null = null;

/**
 * Shows absolute times in a zone of the IANA database; null: in the browser's. Answers whether the zone is known; an
 * unknown one changes nothing. What is on screen already has to be drawn anew.
 */
export function useTimeZone(zone: string | null): boolean {
  try {
    chosenFormat = zone === null ? null : new Intl.DateTimeFormat('en-US', { ...WALL_CLOCK, timeZone: zone });
  } catch {
    return false; // RangeError: no such zone
  }
  chosenZone = zone;
  return true;
}
