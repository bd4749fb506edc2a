/** Requests that were sent before the page that wants them had its script; each answer is given out once. */

/** What is read of an answer. */
export type Answer = Pick<Response, 'ok' | 'status' | 'statusText' | 'headers' | 'json' | 'text' | 'arrayBuffer' | 'blob'>;

const asked = new Map<string, Promise<Answer>>();
/** Older answers are not given out: whoever asks then means now. */
const KEPT_MS = 15_000;

export function askAhead(address: string, accept: string): void {
  const answer = fetch(address, { headers: { accept } }).then(read);
  answer.catch(() => undefined); // told to whoever takes it
  asked.set(address, answer);
  setTimeout(() => asked.delete(address), KEPT_MS);
}

/** The answer to a request that was sent ahead; null when there was none. */
export function takeAhead(address: string): Promise<Answer> | null {
  const answer = asked.get(address) ?? null;
  asked.delete(address);
  return answer;
}

/**
 * An answer with its body in memory. Left unread until a page takes it, the body would come in pieces, between pictures
 * of a page that waits; as it is, a page that is made has its data before it is painted.
 */
async function read(response: Response): Promise<Answer> {
  if (response.status !== 200) return response;
  const { ok, status, statusText, headers } = response;
  const bytes = await response.arrayBuffer();
  const text = () => new TextDecoder().decode(bytes);
  return {
    ok, status, statusText, headers,
    arrayBuffer: () => Promise.resolve(bytes),
    blob: () => Promise.resolve(new Blob([bytes], { type: headers.get('content-type') ?? '' })),
    text: () => Promise.resolve(text()),
    json: async () => JSON.parse(text()) as unknown,
  };
}
