/** Which commands a few typed letters mean, best first. */

export interface Findable {
  readonly title: string;
  readonly group: string;
  readonly words?: string;
}

const BEGINS = 8;
const BEGINS_WORD = 4;
const INSIDE = 2;
const LETTERS = 1;

/**
 * Commands that fit the query, best first; all of them, in their order, for an empty one. Every word of the query has
 * to be found in the title, the group or the other words, or abbreviate the title.
 */
export function findCommands<T extends Findable>(items: readonly T[], query: string): T[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [...items];
  const scored = items.map((item) => ({ item, score: scoreOf(item, wanted) }));
  return scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score).map(({ item }) => item);
}

function scoreOf(item: Findable, wanted: readonly string[]): number {
  const title = item.title.toLowerCase();
  const rest = `${item.group} ${item.words ?? ''}`.toLowerCase();
  let sum = 0;
  for (const word of wanted) {
    const score = scoreWord(title, rest, word);
    if (score === 0) return 0;
    sum += score;
  }
  return sum;
}

function scoreWord(title: string, rest: string, word: string): number {
  if (title.startsWith(word)) return BEGINS;
  if (` ${title}`.includes(` ${word}`)) return BEGINS_WORD;
  if (title.includes(word) || ` ${rest}`.includes(` ${word}`)) return INSIDE;
  return word.length > 1 && isAbbreviation(title.split(/[^\p{L}\p{N}]+/u), word) ? LETTERS : 0;
}

/** Beginnings of words, one after the other: "coid" is "COllapse IDle", "epact" is nothing in "row hEight comPACT". */
function isAbbreviation(words: readonly string[], letters: string): boolean {
  if (letters === '') return true;
  return words.some((word, i) => {
    for (let taken = sharedStart(word, letters); taken > 0; taken--) {
      if (isAbbreviation(words.slice(i + 1), letters.slice(taken))) return true;
    }
    return false;
  });
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Keeps the groups' order of first appearance and puts each one's items together. */
export function byGroup<T extends { readonly group: string }>(items: readonly T[]): { group: string; items: T[] }[] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(item.group, [...(groups.get(item.group) ?? []), item]);
  return Array.from(groups, ([group, members]) => ({ group, items: members }));
}
