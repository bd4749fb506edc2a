/** SQL that was written as one line, for reading. */

const PIECES = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|(?<clause>\s+(?=(?:FROM|WHERE|GROUP BY|ORDER BY|LIMIT|UNION ALL)\b))/g;

/** A line for each clause of the outermost query; what is in quotes or parentheses stays as it is. */
export function clausesInLines(sql: string): string {
  let depth = 0;
  return sql.trim().replace(PIECES, (piece, clause: string | undefined) => {
    if (piece === '(') depth++;
    else if (piece === ')') depth--;
    return clause !== undefined && depth === 0 ? '\n' : piece;
  });
}
