import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bracketsAt, lookOf, tokens } from './sqltokens';

const PARTS = ['select', ' ', '\n', "'it''s'", '"a b"', '-- note', '/* two\nlines */', '1.5e3', 'runs', '(', ')', '[', ']', ';', "'open", '$$x$$', 'integer', 'null', 'é', '.5'];
const texts = fc.array(fc.oneof(fc.constantFrom(...PARTS), fc.string({ maxLength: 3 })), { maxLength: 20 }).map((parts) => parts.join(''));
const kinds = (sql: string) => tokens(sql).map(({ kind, start, end }) => `${kind} ${sql.slice(start, end)}`);

describe('pieces of SQL', () => {
  it('come in order and do not overlap', () => {
    fc.assert(
      fc.property(texts, (sql) => {
        let reached = 0;
        for (const { start, end } of tokens(sql)) {
          expect(start).toBeGreaterThanOrEqual(reached);
          expect(end).toBeGreaterThan(start);
          reached = end;
        }
        expect(reached).toBeLessThanOrEqual(sql.length);
      }),
    );
  });

  it('are coloured by what they are', () => {
    expect(kinds("select \"a b\", 'it''s' from runs -- all\nwhere x = 1.5e3::integer")).toEqual([
      'keyword select', 'name "a b"', "string 'it''s'", 'keyword from', 'name runs', 'comment -- all', 'keyword where', 'name x', 'number 1.5e3', 'type integer',
    ]);
    expect(kinds("'open\nto the end")).toEqual(["string 'open\nto the end"]);
    expect(kinds('/* 1 */ $a$ select $a$ NULL')).toEqual(['comment /* 1 */', 'string $a$ select $a$', 'number NULL']);
  });

  it('make up the text again, line by line, with what is marked', () => {
    const mark = fc.tuple(fc.nat(40), fc.nat(10)).map(([start, length]) => ({ name: 'wrong', start, end: start + length }));
    fc.assert(
      fc.property(texts, fc.array(mark, { maxLength: 3 }), (sql, marks) => {
        const inside = marks.filter(({ end }) => end <= sql.length);
        const lines = lookOf(sql, tokens(sql), inside);
        expect(lines.map((line) => line.map(({ text }) => text).join('')).join('\n')).toBe(sql);
        const marked = lines.flat().filter((piece) => piece.marks !== '').reduce((sum, { text }) => sum + text.length, 0);
        const covered = [...Array(sql.length).keys()].filter((at) => sql[at] !== '\n' && inside.some(({ start, end }) => start <= at && at < end)).length;
        expect(marked).toBe(covered);
      }),
    );
  });
});

describe('brackets', () => {
  const pair = (sql: string, place: number) => bracketsAt(sql, tokens(sql), place);

  it('beside the cursor find their partner, not one in a text', () => {
    const sql = "count((x), ')')";
    expect(pair(sql, 5)).toEqual([5, 14]);
    expect(pair(sql, 15)).toEqual([5, 14]);
    expect(pair(sql, 7)).toEqual([6, 8]);
  });

  it('without a partner find none', () => {
    expect(pair('(x', 0)).toBeNull();
    expect(pair('(x]', 0)).toBeNull();
    expect(pair('x', 0)).toBeNull();
  });
});
