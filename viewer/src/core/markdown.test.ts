import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInline, parseMarkdown, type Block, type Run } from './markdown';

const said = (runs: readonly Run[]) => runs.map((run) => (run.href && run.href !== run.text ? run.text + run.href : run.text)).join('');

/** Everything a reader sees of a block. */
function content(block: Block): string {
  if (block.type === 'rule') return '';
  if (block.type === 'code') return block.language + block.text;
  if (block.type === 'table') return block.rows.flat().map(said).join(' ');
  return (block.type === 'item' ? block.marker : '') + said(block.runs);
}

const letters = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '');
const marked = fc.array(
  fc.constantFrom('# ', '- ', '12. ', '> ', '```', '```py\n', '\n', '\n\n', '  ', '**', '*', '_', '`', '~~', '|', '|-|-|\n', '---\n', '\\', '[a](https://b.c/d)', 'https://x.y', 'word', 'two words', 'é', '7', '.', '('),
  { maxLength: 40 },
);

describe('markdown', () => {
  it('loses and invents no letter', () => {
    fc.assert(fc.property(marked, (pieces) => {
      const text = pieces.join('');
      expect(letters(parseMarkdown(text).map(content).join(' '))).toBe(letters(text));
    }), { numRuns: 2000 });
  });

  it('is divided into blocks', () => {
    const text = '# Plan\nFirst line\nsecond line\n\n- one\n  more\n  - inner\n1. two\n\n> said\n> so\n\n---\n```py\nx = 1\n\n# no heading\n```\nend';
    expect(parseMarkdown(text).map((block) => [block.type, content(block)])).toEqual([
      ['heading', 'Plan'], ['paragraph', 'First line\nsecond line'], ['item', '•one\nmore'], ['item', '•inner'], ['item', '1.two'],
      ['quote', 'said\nso'], ['rule', ''], ['code', 'pyx = 1\n\n# no heading'], ['paragraph', 'end'],
    ]);
  });

  it('reads tables', () => {
    const [table] = parseMarkdown('| city | °C |\n|---|:-:|\n| Paris | **21** |');
    expect(table).toEqual({ type: 'table', rows: [[[{ text: 'city' }], [{ text: '°C' }]], [[{ text: 'Paris' }], [{ text: '21', strong: true }]]] });
  });

  it('goes to the end with a fence that nobody closes', () => {
    expect(parseMarkdown('```\na\n**b**')).toEqual([{ type: 'code', language: '', text: 'a\n**b**' }]);
  });

  it('marks emphasis, code and addresses', () => {
    expect(parseInline('a **b *c*** `d**` ~~e~~ [f](https://g.h) https://i.j.')).toEqual([
      { text: 'a ' }, { text: 'b ', strong: true }, { text: 'c', strong: true, emphasis: true }, { text: ' ' }, { text: 'd**', code: true },
      { text: ' ' }, { text: 'e', struck: true }, { text: ' ' }, { text: 'f', href: 'https://g.h' }, { text: ' ' },
      { text: 'https://i.j', href: 'https://i.j' }, { text: '.' },
    ]);
  });

  it('leaves names and sums alone', () => {
    for (const text of ['snake_case_name', '2*3*4', 'a * b * c', '__init__.py is', 'f(*args, **kwargs)', '[x](javascript:alert)']) {
      expect(said(parseInline(text)).replaceAll('__', '')).toBe(text.replaceAll('__', ''));
    }
    expect(parseInline('snake_case_name 2*3*4 [x](javascript:alert)')).toHaveLength(1);
  });

  it('takes hostile marks in its stride', () => {
    const started = performance.now();
    for (const hostile of ['**a ', '_a ', '`', '[', '](', '> ', '~~a', '| ', '\\*']) parseMarkdown(hostile.repeat(30_000));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
