/** Keys that begin to say something to the ask that is open. Each opens its form; none decides by itself. */

import { movesOf, type Ask, type AskMove } from '../../core/asks';

const MEANS: Readonly<Record<string, readonly AskMove[]>> = { a: ['approve', 'answer'], e: ['edit'], r: ['reject'], d: ['delegate'] };

/** What a key means for an ask; null: nothing. */
export function moveOfKey(event: KeyboardEvent, ask: Ask | null): AskMove | null {
  if (!ask || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(MEANS, event.key)) return null;
  const moves = movesOf(ask);
  return MEANS[event.key].find((move) => moves.includes(move)) ?? null;
}
