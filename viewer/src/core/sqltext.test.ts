import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorExtent, errorText, placeInText, sqlName, statementAt, statements } from './sqltext';

const texts = (sql: string) => statements(sql).map(({ start, end }) => sql.slice(start, end));

describe('statements', () => {
  it.each([
    ['select 1; select 2', ['select 1', 'select 2']],
    ["select ';' ; select \";\"", ["select ';'", 'select ";"']],
    ['select 1 -- ; no end\n; /* ; */ select 2 /* ; */;', ['select 1 -- ; no end', '/* ; */ select 2 /* ; */']],
    ['select $$;$$, $a$;$$;$a$; x', ['select $$;$$, $a$;$$;$a$', 'x']],
    ["select 'it''s;'; select E'\\';'", ["select 'it''s;'", "select E'\\';'"]],
    [';; -- nothing\n;', []],
    ["select 'never ends; select 2", ["select 'never ends; select 2"]],
  ])('of %j', (sql, expected) => expect(texts(sql)).toEqual(expected));

  it('lie in order, apart, and hold everything but comments, space and semicolons', () => {
    const pieces = fc.constantFrom('select', ' ', ';', "'a;b'", '"c;d"', '--;\n', '/*;*/', '$$;$$', 'x', '\n');
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        const sql = parts.join('');
        let last = 0;
        for (const { start, end } of statements(sql)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(sql.slice(start, end).trim()).toBe(sql.slice(start, end));
          last = end;
        }
      }),
    );
  });

  it('are found by a place in them, or after them', () => {
    const sql = 'select 1;\n\nselect 2;\n';
    const at = (place: number) => sql.slice(statementAt(sql, place)?.start, statementAt(sql, place)?.end);
    expect([at(0), at(8), at(9), at(11), at(sql.length)]).toEqual(['select 1', 'select 1', 'select 1', 'select 2', 'select 2']);
    expect(statementAt('  -- nothing', 3)).toBeNull();
    expect(statementAt('   select 1', 0)).not.toBeNull();
  });
});

describe('errors', () => {
  const sql = 'SELECT name,\n  nope\nFROM spans';
  const message = 'Binder Error: Referenced column "nope" not found\nCandidate bindings: "name"\n\nLINE 2:   nope\n          ^';

  it('are shown at their word', () => {
    const place = errorExtent(sql, message);
    expect(place && sql.slice(place.start, place.end)).toBe('nope');
    expect(place && placeInText(sql, place.start)).toEqual({ line: 2, column: 3 });
    expect(errorText(message)).toBe('Binder Error: Referenced column "nope" not found\nCandidate bindings: "name"');
  });

  it('are found in long lines, of which a part is shown', () => {
    const long = `select ${'aaaa, '.repeat(30)}nope from runs`;
    const shown = long.slice(long.indexOf('nope') - 20, long.indexOf('nope') + 10);
    const place = errorExtent(long, `Error\n\nLINE 1: ...${shown}...\n${' '.repeat('LINE 1: ...'.length + 20)}^`);
    expect(place && long.slice(place.start, place.end)).toBe('nope');
  });

  it('are found although EXPLAIN was put before the query', () => {
    const place = errorExtent('select nope', 'Error\n\nLINE 1: select nope\n               ^');
    expect(place).toEqual({ start: 7, end: 11 });
  });

  it('have no place when DuckDB tells none, or another text', () => {
    expect(errorExtent(sql, 'Out of memory')).toBeNull();
    expect(errorExtent('select 1', message)).toBeNull();
  });
});

it('names that are words of SQL, or odd, are written in quotes', () => {
  expect(['runs', 'order', 'by', 'A', 'a"b', '_x1'].map(sqlName)).toEqual(['runs', '"order"', 'by', '"A"', '"a""b"', '_x1']);
});
