/** Long texts begin with their head and are opened on demand. */

const LINES = 16;
const CHARACTERS_A_LINE = 90;
/** Folding a little more than this away would save no room worth a click. */
const SLACK = 1.3;

/** The beginning of a text that is too long to show unasked, and how long the whole is; null for a short text. */
export function foldText(text: string, lines = LINES, characters = lines * CHARACTERS_A_LINE): { head: string; size: string } | null {
  const cut = Math.min(endOfLine(text, lines), characters);
  const whole = endOfLine(text, Math.ceil(lines * SLACK)) === text.length && text.length <= characters * SLACK;
  if (whole || cut >= text.length) return null;
  const count = countLines(text);
  const size = count > lines ? `${count.toLocaleString('en-US')} lines` : `${text.length.toLocaleString('en-US')} characters`;
  return { head: wholeCharacters(text, cut), size };
}

/** Where the n-th line ends: the place of its line break, or the text's end. */
function endOfLine(text: string, n: number): number {
  let at = -1;
  for (let line = 0; line < n; line++) {
    at = text.indexOf('\n', at + 1);
    if (at < 0) return text.length;
  }
  return at;
}

function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** A cut between the halves of a surrogate pair would show as a broken character. */
function wholeCharacters(text: string, cut: number): string {
  const last = text.charCodeAt(cut - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? cut - 1 : cut);
}
