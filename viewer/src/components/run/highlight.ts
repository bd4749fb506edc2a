/** Marks words in what is on screen, without touching the elements: the style is `::highlight(found)`. */

const NAME = 'found';
const MOST = 2000;

export function highlightWords(root: HTMLElement, words: readonly string[]): void {
  if (!('highlights' in CSS)) return; // the list still goes from hit to hit
  if (words.length === 0) return void CSS.highlights.delete(NAME);
  CSS.highlights.set(NAME, new Highlight(...rangesOf(root, words)));
}

export function clearHighlight(): void {
  if ('highlights' in CSS) CSS.highlights.delete(NAME);
}

function rangesOf(root: HTMLElement, words: readonly string[]): Range[] {
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && ranges.length < MOST; node = walker.nextNode()) {
    const text = (node.textContent ?? '').toLowerCase();
    for (const word of words) {
      for (let at = text.indexOf(word); at >= 0 && ranges.length < MOST; at = text.indexOf(word, at + word.length)) {
        ranges.push(rangeIn(node, at, word.length));
      }
    }
  }
  return ranges;
}

function rangeIn(node: Node, at: number, length: number): Range {
  const range = new Range();
  const end = node.textContent?.length ?? 0;
  range.setStart(node, Math.min(at, end));
  range.setEnd(node, Math.min(at + length, end)); // lower case may be longer than what it came from
  return range;
}
