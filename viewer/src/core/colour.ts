/** Colours in several strengths. */

/** A colour mixed with what is behind it, both as "#rrggbb"; share 1 is the colour itself. Other notations stay as they are. */
export function mixed(colour: string, behind: string, share: number): string {
  const [over, under] = [channels(colour), channels(behind)];
  if (!over || !under) return colour;
  const part = (i: number) => Math.round(over[i] * share + under[i] * (1 - share)).toString(16).padStart(2, '0');
  return `#${part(0)}${part(1)}${part(2)}`;
}

function channels(colour: string): number[] | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  return match && match.slice(1).map((pair) => parseInt(pair, 16));
}
