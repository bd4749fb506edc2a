import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { EventStore } from './events';
import { eventLines, filterLines, levelOf, mergeLines, spanLines } from './log';
import { parseIsoNs } from './time';
import { buildTree } from './tree';
import { LEVELS } from './viewoptions';

const everything = { level: 'debug', words: [], from: -Infinity, to: Infinity, nameOf: () => '' } as const;
const event = fc.record({
  time: fc.nat(50).map((n) => `2026-11-21T07:30:00.${String(n).padStart(3, '0')}Z`),
  kind: fc.constantFrom('log', 'exception', 'checkpoint'),
  severity: fc.constantFrom(null, 'info', 'warn', 'fatal'),
  message: fc.constantFrom('a', 'b', null),
});

test('events are one line each, with keys of their own', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const store = new EventStore();
      store.apply(events);
      const lines = eventLines(store.all(), (mark) => Number(mark.time - parseIsoNs('2026-11-21T07:30:00Z')));
      expect(lines.length).toBe(store.all().length);
      expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
    }),
  );
});

test('spans are a line when they start and one when they end, all in order of time', () => {
  fc.assert(
    fc.property(runs, (spans) => {
      const store = storeOf(spans);
      const lines = mergeLines(spanLines(store, buildTree(store)));
      expect(lines.length).toBe(2 * spans.length);
      lines.slice(1).forEach((line, i) => expect(line.time).toBeGreaterThanOrEqual(lines[i].time));
    }),
  );
});

test('filters leave out what is below a level, outside the time or without the words', () => {
  fc.assert(
    fc.property(runs, fc.constantFrom(...LEVELS), fc.nat(3000), (spans, level, from) => {
      const store = storeOf(spans);
      const lines = mergeLines(spanLines(store, buildTree(store)));
      expect(filterLines(lines, everything)).toEqual(lines);
      const left = filterLines(lines, { ...everything, level, from, to: from + 900, words: ['plan'] });
      for (const line of lines) {
        const wanted = LEVELS.indexOf(line.level) >= LEVELS.indexOf(level) && line.time >= from && line.time <= from + 900 && line.text.includes('plan');
        expect(left.includes(line)).toBe(wanted);
      }
    }),
  );
});

test('levels are read from severities and kinds', () => {
  const of = (kind: string, severity?: string) => levelOf({ time: '', kind, severity });
  expect([of('log'), of('log', 'WARN'), of('log', 'fatal'), of('exception'), of('checkpoint'), of('log', 'trace')]).toEqual([
    'info', 'warn', 'error', 'error', 'info', 'debug',
  ]);
});
