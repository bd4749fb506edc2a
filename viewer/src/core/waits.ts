/** Waiting between the tries of one step: a backoff, or the time until a limit let it try again. */

import type { SpanStore } from './spans';
import type { Tree } from './tree';

export interface Wait {
  readonly kind: 'backoff' | 'limited';
  readonly start: number;
  readonly end: number;
  /** The try that it led to. */
  readonly next: number;
}

/** How providers and HTTP libraries name the refusal of a call that came too soon: RateLimitError, 429, ... */
const LIMITED = /rate.?limit|too.?many.?requests|throttl|quota|resource.?exhausted|overloaded|(^|\D)429(\D|$)/i;

export function isLimit(errorType: string | null): boolean {
  return errorType !== null && LIMITED.test(errorType);
}

/** members: the tries, in order. A try that began before the last one ended did not wait. */
export function waitsBetween(members: readonly number[], store: SpanStore, tree: Pick<Tree, 'start' | 'end'>): Wait[] {
  const waits: Wait[] = [];
  for (let i = 1; i < members.length; i++) {
    const [start, end] = [tree.end[members[i - 1]], tree.start[members[i]]];
    if (!(end > start)) continue;
    const limited = isLimit(store.strings.text(store.error[members[i - 1]]));
    waits.push({ kind: limited ? 'limited' : 'backoff', start, end, next: members[i] });
  }
  return waits;
}
