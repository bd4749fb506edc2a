/**
 * The Markdown that models write - paragraphs, headings, lists, code, quotes, tables, emphasis - as values to render.
 *
 * A reading aid, not an implementation of CommonMark: nothing becomes markup, no letter is lost (markdown.test.ts states
 * it as a property), and every line is looked at once.
 */

export interface Run {
  readonly text: string;
  readonly strong?: boolean;
  readonly emphasis?: boolean;
  readonly struck?: boolean;
  readonly code?: boolean;
  /** An http(s) address. */
  readonly href?: string;
}

export type Block =
  | { readonly type: 'paragraph' | 'quote'; readonly runs: readonly Run[] }
  | { readonly type: 'heading'; readonly level: number; readonly runs: readonly Run[] }
  | { readonly type: 'item'; readonly depth: number; readonly marker: string; readonly runs: readonly Run[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string }
  | { readonly type: 'table'; readonly rows: readonly (readonly Run[])[][] }
  | { readonly type: 'rule' };

/** Paragraphs longer than this keep their marks: looking for pairs of them costs with the square of the length. */
const MOST_INLINE = 4000;

const FENCE = /^( *)(```+|~~~+)\s*(.*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^\s*>\s?(.*)$/;
const RULE = /^\s*([-*_])(?:\s*\1){2,}\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

export function parseMarkdown(text: string): Block[] {
  return new Reader(text.split(/\r?\n/)).read();
}

class Reader {
  private readonly blocks: Block[] = [];
  private at = 0;

  constructor(private readonly lines: readonly string[]) {}

  read(): Block[] {
    while (this.at < this.lines.length) {
      if (this.lines[this.at].trim() === '') this.at++;
      else this.blocks.push(this.code() ?? this.single() ?? this.table() ?? this.quote() ?? this.item() ?? this.paragraph());
    }
    return this.blocks;
  }

  private code(): Block | null {
    const fence = FENCE.exec(this.lines[this.at]);
    if (!fence) return null;
    const [, indent, mark, language] = fence;
    const from = ++this.at;
    const ends = (line: string) => line.trim().startsWith(mark) && line.trim().replaceAll(mark[0], '') === '';
    while (this.at < this.lines.length && !ends(this.lines[this.at])) this.at++;
    const inside = this.lines.slice(from, this.at++).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    return { type: 'code', language, text: inside.join('\n') };
  }

  private single(): Block | null {
    const line = this.lines[this.at];
    const heading = HEADING.exec(line);
    if (!heading && !RULE.test(line)) return null;
    this.at++;
    return heading ? { type: 'heading', level: heading[1].length, runs: parseInline(heading[2]) } : { type: 'rule' };
  }

  private table(): Block | null {
    const next = this.lines[this.at + 1] ?? '';
    if (!this.lines[this.at].includes('|') || !next.includes('|') || !TABLE_RULE.test(next)) return null;
    const rows = [cells(this.lines[this.at])];
    for (this.at += 2; this.at < this.lines.length && this.lines[this.at].includes('|'); this.at++) rows.push(cells(this.lines[this.at]));
    return { type: 'table', rows };
  }

  private quote(): Block | null {
    const inside: string[] = [];
    for (let match; this.at < this.lines.length && (match = QUOTE.exec(this.lines[this.at])); this.at++) inside.push(match[1]);
    return inside.length === 0 ? null : { type: 'quote', runs: parseInline(inside.join('\n')) };
  }

  private item(): Block | null {
    const match = ITEM.exec(this.lines[this.at]);
    if (!match) return null;
    this.at++;
    const [, indent, mark, first] = match;
    const text = [first, ...this.plainLines()].join('\n');
    const marker = /\d/.test(mark) ? mark : '•';
    return { type: 'item', depth: Math.min(indent.replaceAll('\t', '    ').length >> 1, 8), marker, runs: parseInline(text) };
  }

  private paragraph(): Block {
    const first = this.lines[this.at++];
    return { type: 'paragraph', runs: parseInline([first, ...this.plainLines()].join('\n')) };
  }

  /** Lines that go on with a paragraph or an item. */
  private plainLines(): string[] {
    const inside: string[] = [];
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at];
      if (line.trim() === '' || [FENCE, HEADING, ITEM, QUOTE, RULE].some((start) => start.test(line))) break;
      inside.push(line.trim());
    }
    return inside;
  }
}

function cells(line: string): (readonly Run[])[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => parseInline(cell.trim()));
}

// Marks inside words (snake_case, 2*3*4) are text, so a mark needs a non-letter before it and behind its partner.
const INLINE = new RegExp(
  [
    /\\(?<escaped>[\\`*_{}[\]()#+\-.!|>~])/u,
    /(?<ticks>`+)(?<code>[^`]|[^`][^]*?[^`])\k<ticks>(?!`)/u,
    /(?<![\p{L}\p{N}])(?<strongMark>\*\*|__)(?=\S)(?<strong>[^]*?\S)\k<strongMark>(?![\p{L}\p{N}*_])/u,
    /(?<![\p{L}\p{N}*_])(?<mark>[*_])(?=[^\s*_])(?<emphasis>[^]*?[^\s*_])\k<mark>(?![\p{L}\p{N}*_])/u,
    /~~(?=\S)(?<struck>[^]*?\S)~~/u,
    /\[(?<label>[^\][]+)\]\((?<target>https?:\/\/[^\s()]+)\)/u,
    /(?<address>https?:\/\/[^\s<>()[\]"'`]*[\p{L}\p{N}/#=&])/u,
  ]
    .map((part) => part.source)
    .join('|'),
  'gu',
);

export function parseInline(text: string): Run[] {
  return text.length > MOST_INLINE ? [{ text }] : inlineRuns(text, {});
}

function inlineRuns(text: string, style: Omit<Run, 'text'>): Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) runs.push({ ...style, text: text.slice(from, match.index) });
    runs.push(...markedRuns(match.groups as Record<string, string | undefined>, style));
    from = match.index + match[0].length;
  }
  if (from < text.length) runs.push({ ...style, text: text.slice(from) });
  return runs;
}

function markedRuns(groups: Record<string, string | undefined>, style: Omit<Run, 'text'>): Run[] {
  const { escaped, code, strong, emphasis, struck, label, target, address } = groups;
  if (escaped !== undefined) return [{ ...style, text: escaped }];
  if (code !== undefined) return [{ ...style, code: true, text: code }];
  if (strong !== undefined) return inlineRuns(strong, { ...style, strong: true });
  if (emphasis !== undefined) return inlineRuns(emphasis, { ...style, emphasis: true });
  if (struck !== undefined) return inlineRuns(struck, { ...style, struck: true });
  return [{ ...style, text: label ?? address ?? '', href: target ?? address }];
}
