import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edited, moveLines, newLine, toggleComment, type Selection } from './textedit';

const texts = fc.array(fc.constantFrom('a', 'select', '  b', '\n', '\n\n', ' ', '-- c'), { maxLength: 12 }).map((parts) => parts.join(''));
const cases = texts.chain((text) =>
  fc.tuple(fc.constant(text), fc.nat(text.length), fc.nat(text.length)).map(([whole, a, b]) => ({ text: whole, selection: { start: Math.min(a, b), end: Math.max(a, b) } })),
);
const isInside = ({ start, end }: Selection, text: string) => start >= 0 && start <= end && end <= text.length;

describe('edits by keys', () => {
  it('leave a selection that lies in the text', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ text, selection }, down) => {
        for (const edit of [newLine(text, selection), toggleComment(text, selection), moveLines(text, selection, down)]) {
          if (edit) expect(isInside(edit.selection, edited(text, edit))).toBe(true);
        }
      }),
    );
  });

  it('move lines there and back again', () => {
    fc.assert(
      fc.property(cases, ({ text, selection }) => {
        // A selection that ends where a line begins leaves that line where it is.
        fc.pre(selection.end === selection.start || text[selection.end - 1] !== '\n');
        const down = moveLines(text, selection, true);
        if (!down) return;
        const moved = edited(text, down);
        const up = moveLines(moved, down.selection, false);
        expect(up && edited(moved, up)).toBe(text);
        expect(up?.selection).toEqual(selection);
      }),
    );
  });

  it('comment lines out and in again', () => {
    const text = 'select 1\n  from runs\n\nwhere x';
    const selection = { start: 3, end: 15 };
    const out = toggleComment(text, selection);
    expect(edited(text, out)).toBe('-- select 1\n--   from runs\n\nwhere x');
    const back = toggleComment(edited(text, out), out.selection);
    expect(edited(edited(text, out), back)).toBe(text);
    expect(back.selection).toEqual(selection);
  });

  it('begin a new line where the one before begins', () => {
    const text = 'select\n  a';
    expect(edited(text, newLine(text, { start: 10, end: 10 }))).toBe('select\n  a\n  ');
  });
});
