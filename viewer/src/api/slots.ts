/**
 * Which tabs may hold a connection open. A browser allows six to one origin over HTTP/1.1, shared by all of its tabs;
 * were they all held open, no tab could ask anything any more. Tabs beyond these slots ask again and again instead.
 */

const SLOTS = 4;

/** Takes a slot; null when none is free. The answer gives it back. */
export async function takeSlot(): Promise<(() => void) | null> {
  // Locks exist on localhost and over https. Elsewhere tabs cannot know of each other.
  if (!navigator.locks) return () => undefined;
  for (let slot = 0; slot < SLOTS; slot++) {
    const release = await tryLock(`milepost-live-${slot}`);
    if (release) return release;
  }
  return null;
}

/** Waits until a slot is free and takes it; never answers once the signal says so. */
export function awaitSlot(signal: AbortSignal): Promise<() => void> {
  return new Promise((answer) => {
    const enough = new AbortController();
    signal.addEventListener('abort', () => enough.abort());
    for (let slot = 0; slot < SLOTS; slot++) {
      const held = navigator.locks.request(`milepost-live-${slot}`, { signal: enough.signal }, () => {
        if (enough.signal.aborted) return; // another one was free at the same moment
        enough.abort();
        return new Promise<void>((release) => answer(release));
      });
      held.catch(() => undefined); // AbortError: no longer wanted
    }
  });
}

function tryLock(name: string): Promise<(() => void) | null> {
  return new Promise((answer) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return void answer(null);
      return new Promise<void>((release) => answer(release)); // held until it settles, or the tab is closed
    });
  });
}
