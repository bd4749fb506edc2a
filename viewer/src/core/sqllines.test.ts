import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clausesInLines } from './sqllines';

const word = fc.constantFrom('SELECT *', 'FROM runs', 'WHERE true', "name = 'a  FROM b''s'", '(SELECT 1 FROM x)', 'GROUP BY "a WHERE b"', ')', 'LIMIT 5');

describe('SQL in lines', () => {
  it('breaks before the clauses of the outermost query alone', () => {
    const sql = "SELECT a FROM (SELECT 1 FROM x WHERE y) WHERE b = ' FROM c' GROUP BY a ORDER BY a LIMIT 3";
    expect(clausesInLines(sql).split('\n')).toEqual([
      'SELECT a', 'FROM (SELECT 1 FROM x WHERE y)', "WHERE b = ' FROM c'", 'GROUP BY a', 'ORDER BY a', 'LIMIT 3',
    ]);
  });

  it('changes nothing but the space between clauses', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const sql = words.join(' ');
        expect(clausesInLines(sql).replaceAll('\n', ' ')).toBe(sql);
      }),
    );
  });
});
