/** Requests that were sent before the page that wants them had its script; each answer is given out once. */

const asked = new Map<string, Promise<Response>>();
/** Older answers are not given out: whoever asks then means now. */
const KEPT_MS = 15_000;

export function askAhead(address: string, accept: string): void {
  const answer = fetch(address, { headers: { accept } });
  answer.catch(() => undefined); // told to whoever takes it
  asked.set(address, answer);
  setTimeout(() => asked.delete(address), KEPT_MS);
}

/** The answer to a request that was sent ahead; null when there was none. */
export function takeAhead(address: string): Promise<Response> | null {
  const answer = asked.get(address) ?? null;
  asked.delete(address);
  return answer;
}
