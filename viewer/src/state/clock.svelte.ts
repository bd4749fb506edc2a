/** A clock that ticks once a second, and only while something on screen shows it. */

import { createSubscriber } from 'svelte/reactivity';
import { live } from './live.svelte';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

/** The collector's time in milliseconds, refreshed every second in whatever reads it. */
export function tickingNowMs(): number {
  subscribe();
  return live.nowMs();
}
