/**
 * The text of a search, read as the collector reads it: words, `field:value` and comparisons, joined by blanks, AND, OR,
 * NOT, a minus and parentheses. What cannot be read is null; the collector's answer then says what is wrong with it.
 */

export type SearchNode =
  | { readonly op: 'and' | 'or'; readonly items: readonly SearchNode[] }
  | { readonly op: 'not'; readonly item: SearchNode }
  | SearchTerm;

/** A field compared with values, any of which will do; a word is a term of the field `text`. */
export interface SearchTerm {
  readonly op: 'term';
  readonly field: string;
  readonly sign: ':' | '>' | '>=' | '<' | '<=';
  /** As they were written, wildcards and escapes included. */
  readonly values: readonly string[];
}

const ALIASES: Record<string, string> = {
  duration: 'dur', session_id: 'session', user_id: 'user', run_id: 'run', tags: 'tag', cost_usd: 'cost', start: 'started',
  error_type: 'error', task_id: 'task',
};

const SPACE = /\s+/y;
const FIELD = /([A-Za-z_][\w.]*)(:|>=|<=|=|>|<)/y;
const STRING = /"((?:\\.|[^"\\])*)"/sy;
const VALUE = /(?:\\[*"\\]|[^\s(),"])+/y;
const WORD = /(?:\\[*"\\]|[^\s()"])+/y;

class Unreadable extends Error {}

/** The search as a tree, or null when it cannot be read. An empty one is an `and` of nothing. */
export function readSearch(text: string): SearchNode | null {
  try {
    return new Reader(text).whole();
  } catch (cause) {
    if (cause instanceof Unreadable) return null;
    throw cause;
  }
}

class Reader {
  private place = 0;

  constructor(private readonly text: string) {}

  whole(): SearchNode {
    this.skipSpace();
    if (this.place === this.text.length) return { op: 'and', items: [] };
    const node = this.either();
    if (this.place < this.text.length) throw new Unreadable();
    return node;
  }

  private either(): SearchNode {
    const items = [this.together()];
    while (this.takeWord('OR')) items.push(this.together());
    return items.length === 1 ? items[0] : { op: 'or', items };
  }

  private together(): SearchNode {
    const items = [this.one()];
    while (this.place < this.text.length && this.text[this.place] !== ')' && !this.isWord('OR')) {
      this.takeWord('AND');
      items.push(this.one());
    }
    return items.length === 1 ? items[0] : { op: 'and', items };
  }

  private one(): SearchNode {
    if (this.take('-') || this.takeWord('NOT')) return { op: 'not', item: this.one() };
    if (this.take('(')) {
      const inner = this.either();
      if (!this.take(')')) throw new Unreadable();
      return this.ended(inner);
    }
    const field = this.match(FIELD);
    if (field) return this.ended(this.term(field));
    return this.ended({ op: 'term', field: 'text', sign: ':', values: [this.value(WORD)] });
  }

  private term([, name, sign]: RegExpExecArray): SearchTerm {
    const values = [this.value(VALUE)];
    while (this.take(',', false)) values.push(this.value(VALUE));
    const field = name.toLowerCase();
    return { op: 'term', field: ALIASES[field] ?? field, sign: (sign === '=' ? ':' : sign) as SearchTerm['sign'], values };
  }

  private value(bare: RegExp): string {
    const found = this.match(STRING)?.[1] ?? this.match(bare)?.[0];
    if (!found || (bare === WORD && /^([:<>=!]|(AND|OR|NOT)$)/.test(found))) throw new Unreadable();
    return found;
  }

  /** Nothing that seems to belong to a term may follow it. */
  private ended<T>(node: T): T {
    const next = this.text[this.place];
    if (next !== undefined && next !== ')' && !/\s/.test(next)) throw new Unreadable();
    this.skipSpace();
    return node;
  }

  private take(sign: string, spaceAfter = sign !== '-'): boolean {
    if (this.text[this.place] !== sign) return false;
    this.place++;
    if (spaceAfter && sign !== ')') this.skipSpace();
    return true;
  }

  private isWord(word: string): boolean {
    return this.text.startsWith(word, this.place) && /^(\s|\(|$)/.test(this.text.slice(this.place + word.length));
  }

  private takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.place += word.length;
    this.skipSpace();
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (found) this.place = pattern.lastIndex;
    return found;
  }

  private skipSpace(): void {
    this.match(SPACE);
  }
}

/** A text with wildcards as a regular expression: `*` stands for anything, `\*` for a star. */
export function patternOf(text: string, flags = ''): RegExp {
  const source = text.replace(/\\([*"\\])|(\*)|([^*\\]+|\\)/gs, (_, escaped?: string, star?: string, rest?: string) =>
    star ? '.*' : escapeForPattern(escaped ?? rest ?? ''),
  );
  return new RegExp(source, `s${flags}`);
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
