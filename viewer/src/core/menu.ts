/** Where a key leads in a menu or list of choices. */

/**
 * The item to go to, or null when the key means nothing here. here: the item that has the focus, -1 for none; typed:
 * letters typed shortly after one another, by which the next item that begins with them is found.
 */
export function stepInMenu(titles: readonly string[], here: number, key: string, typed: string): number | null {
  const count = titles.length;
  if (count === 0) return null;
  if (key === 'ArrowDown') return (here + 1) % count;
  if (key === 'ArrowUp') return (Math.max(here, 0) - 1 + count) % count;
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  return key.length === 1 && key !== ' ' ? findTyped(titles, Math.max(here, 0), typed.toLowerCase()) : null;
}

/** One letter again and again goes through the items that begin with it; a longer beginning may stay where it is. */
function findTyped(titles: readonly string[], here: number, typed: string): number | null {
  const same = [...typed].every((letter) => letter === typed[0]);
  const wanted = same ? typed[0] : typed;
  for (let step = same ? 1 : 0; step <= titles.length; step++) {
    const index = (here + step) % titles.length;
    if (titles[index].toLowerCase().startsWith(wanted)) return index;
  }
  return null;
}
