/** Two texts side by side: what is equal by lines, within changed lines by words, and long equal stretches folded. */

/** Below this many pairs the longest common subsequence is found exactly, which takes some milliseconds. */
const EXACT_PAIRS = 1_000_000;

/** For each item of `a` the place of its equal in `b`, rising, or -1. */
export function matchItems(a: readonly string[], b: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  const numbered = (items: readonly string[]) =>
    Int32Array.from(items, (item) => {
      if (!numbers.has(item)) numbers.set(item, numbers.size);
      return numbers.get(item) as number;
    });
  const matches = new Int32Array(a.length).fill(-1);
  matchRange({ a: numbered(a), b: numbered(b), matches }, [0, a.length, 0, b.length]);
  return matches;
}

interface Job {
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly matches: Int32Array;
}

/** fromA, toA, fromB, toB; the ends are not part of it. */
type Range = readonly [number, number, number, number];

function matchRange(job: Job, range: Range): void {
  const [fromA, toA, fromB, toB] = matchEnds(job, range);
  if (fromA === toA || fromB === toB) return;
  const middle: Range = [fromA, toA, fromB, toB];
  if ((toA - fromA) * (toB - fromB) <= EXACT_PAIRS) matchExactly(job, middle);
  else matchBetweenAnchors(job, middle);
}

/** Matches what is equal at both ends; the answer is what lies between. */
function matchEnds({ a, b, matches }: Job, [fromA, toA, fromB, toB]: Range): Range {
  while (fromA < toA && fromB < toB && a[fromA] === b[fromB]) matches[fromA++] = fromB++;
  while (fromA < toA && fromB < toB && a[toA - 1] === b[toB - 1]) matches[--toA] = --toB;
  return [fromA, toA, fromB, toB];
}

function matchExactly({ a, b, matches }: Job, [fromA, toA, fromB, toB]: Range): void {
  const width = toB - fromB + 1;
  const longest = new Uint16Array((toA - fromA + 1) * width);
  for (let i = toA - fromA - 1; i >= 0; i--) {
    for (let j = width - 2; j >= 0; j--) {
      const at = i * width + j;
      const equal = a[fromA + i] === b[fromB + j];
      longest[at] = equal ? longest[at + width + 1] + 1 : Math.max(longest[at + width], longest[at + 1]);
    }
  }
  for (let i = 0, j = 0; i < toA - fromA && j < width - 1; ) {
    if (a[fromA + i] === b[fromB + j]) matches[fromA + i++] = fromB + j++;
    else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) i++;
    else j++;
  }
}

/** Long texts: items that occur once in each are matched first, in the order most of them share ("patience"). */
function matchBetweenAnchors(job: Job, range: Range): void {
  const anchors = longestRising(uniquePairs(job, range));
  if (anchors.length === 0) return; // nothing to hold on to: one is replaced by the other
  let [fromA, , fromB] = range;
  for (const [atA, atB] of anchors) {
    matchRange(job, [fromA, atA, fromB, atB]);
    job.matches[atA] = atB;
    [fromA, fromB] = [atA + 1, atB + 1];
  }
  matchRange(job, [fromA, range[1], fromB, range[3]]);
}

function uniquePairs({ a, b }: Job, [fromA, toA, fromB, toB]: Range): [number, number][] {
  const onceInB = placesOnce(b, fromB, toB);
  return [...placesOnce(a, fromA, toA)]
    .map(([item, place]): [number, number] => [place, onceInB.get(item) ?? -1])
    .filter(([place, other]) => place >= 0 && other >= 0);
}

/** The place of each item that occurs once, and -1 for those that occur again. */
function placesOnce(items: Int32Array, from: number, to: number): Map<number, number> {
  const places = new Map<number, number>();
  for (let i = from; i < to; i++) places.set(items[i], places.has(items[i]) ? -1 : i);
  return places;
}

/** Of pairs that rise in the first, as many as rise in the second too. */
function longestRising(pairs: readonly [number, number][]): [number, number][] {
  const ends: number[] = []; // of each length, the pair with the least end
  const before = new Int32Array(pairs.length).fill(-1);
  pairs.forEach(([, end], i) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[ends[middle]][1] < end) low = middle + 1;
      else high = middle;
    }
    before[i] = low > 0 ? ends[low - 1] : -1;
    ends[low] = i;
  });
  const chain: [number, number][] = [];
  for (let i = ends.at(-1) ?? -1; i >= 0; i = before[i]) chain.push(pairs[i]);
  return chain.reverse();
}

/** A line of the two texts: null where the other has one more. */
export interface DiffRow {
  readonly a: string | null;
  readonly b: string | null;
  readonly equal: boolean;
}

/** Lines of two texts, changed ones beside each other in their order. A text that is not there has no lines. */
export function diffLines(a: string | null, b: string | null): DiffRow[] {
  const [left, right] = [linesOf(a), linesOf(b)];
  const matches = matchItems(left, right);
  const rows: DiffRow[] = [];
  let [fromA, fromB] = [0, 0];
  for (let i = 0; i <= left.length; i++) {
    const other = i < left.length ? matches[i] : right.length;
    if (other < 0) continue;
    rows.push(...changed(left.slice(fromA, i), right.slice(fromB, other)));
    if (i < left.length) rows.push({ a: left[i], b: right[other], equal: true });
    [fromA, fromB] = [i + 1, other + 1];
  }
  return rows;
}

function linesOf(text: string | null): string[] {
  return text === null ? [] : text.split('\n');
}

function changed(a: readonly string[], b: readonly string[]): DiffRow[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => ({ a: a[i] ?? null, b: b[i] ?? null, equal: false }));
}

export interface Piece {
  readonly text: string;
  readonly changed: boolean;
}

/** Beyond it a line is marked as a whole. */
const MOST_WORDS = 3_000;
/** Lines that share less than this part of their letters are read as different lines. */
const LEAST_SHARED = 0.3;

/** The pieces of two lines; null when they have too little in common to mark words. */
export function diffWords(a: string, b: string): { a: Piece[]; b: Piece[] } | null {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  if (Math.max(left.length, right.length) > MOST_WORDS) return null;
  const matches = matchItems(left, right);
  const isMatched = new Uint8Array(right.length);
  let shared = 0;
  matches.forEach((other, i) => {
    if (other < 0) return;
    isMatched[other] = 1;
    shared += left[i].trim().length;
  });
  if (shared < LEAST_SHARED * Math.max(a.trim().length, b.trim().length)) return null;
  return { a: joined(left, (i) => matches[i] < 0), b: joined(right, (i) => isMatched[i] === 0) };
}

function wordsOf(line: string): string[] {
  return line.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

function joined(words: readonly string[], isChanged: (i: number) => boolean): Piece[] {
  const pieces: { text: string; changed: boolean }[] = [];
  words.forEach((text, i) => {
    const changed = isChanged(i);
    const last = pieces.at(-1);
    if (last?.changed === changed) last.text += text;
    else pieces.push({ text, changed });
  });
  return pieces;
}

/** A stretch of rows. folded: equal rows that nobody needs to read. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly folded: boolean;
}

/** Lines of context around a change. */
const CONTEXT = 3;
/** Folding fewer would save no room worth a click. */
const LEAST_FOLDED = 4;

export function foldEqual(rows: readonly DiffRow[]): Stretch[] {
  const stretches: Stretch[] = [];
  let shown = 0;
  for (let i = 0; i < rows.length; ) {
    let end = i;
    while (end < rows.length && rows[end].equal) end++;
    const from = i === 0 ? 0 : i + CONTEXT;
    const to = end === rows.length ? end : end - CONTEXT;
    if (to - from >= LEAST_FOLDED) {
      if (from > shown) stretches.push({ from: shown, to: from, folded: false });
      stretches.push({ from, to, folded: true });
      shown = to;
    }
    i = end + 1;
  }
  if (shown < rows.length) stretches.push({ from: shown, to: rows.length, folded: false });
  return stretches;
}
