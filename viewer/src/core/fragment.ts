/** A text in an address's fragment: "#q=" and the text deflated, in base64 of the URL's alphabet, then what belongs to it. */

export async function encodeFragment(text: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream('deflate-raw'));
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const rest = new URLSearchParams(more).toString();
  return `#q=${base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}${rest && `&${rest}`}`;
}

/** The text, or null when the fragment holds none or a damaged one. */
export async function decodeFragment(fragment: string): Promise<string | null> {
  const match = /^#q=([\w-]+)(?:&|$)/.exec(fragment);
  if (!match) return null;
  try {
    const binary = atob(match[1].replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder().decode(await through(bytes, new DecompressionStream('deflate-raw')));
  } catch {
    return null; // a link cut short in an e-mail shows an empty editor, not an error
  }
}

/** What stands beside the text, by name; null when it is not there. */
export function fragmentPart(fragment: string, name: string): string | null {
  return new URLSearchParams(fragment.slice(1)).get(name);
}

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
