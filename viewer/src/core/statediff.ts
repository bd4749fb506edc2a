/** What changed from one saved state to the next, value by value. */

export interface Change {
  /** "pages[2].title"; empty for the whole state. */
  readonly path: string;
  readonly type: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Changes in the order of the later state, then what it lacks; `most` at most, and how many there are in all. */
export function stateDiff(before: unknown, after: unknown, most = 200): { changes: Change[]; count: number } {
  const changes: Change[] = [];
  let count = 0;
  const note = (change: Change) => void (count++ < most && changes.push(change));
  walk(before, after, '', note);
  return { changes, count };
}

function walk(before: unknown, after: unknown, path: string, note: (change: Change) => void): void {
  if (!areAlike(before, after)) {
    if (!Object.is(before, after)) note({ path, type: 'changed', before, after });
    return;
  }
  const [old, fresh] = [before as Record<string, unknown>, after as Record<string, unknown>];
  for (const key of Object.keys(fresh)) {
    const below = join(path, key, Array.isArray(after));
    if (Object.hasOwn(old, key)) walk(old[key], fresh[key], below, note);
    else note({ path: below, type: 'added', after: fresh[key] });
  }
  for (const key of Object.keys(old)) {
    if (!Object.hasOwn(fresh, key)) note({ path: join(path, key, Array.isArray(after)), type: 'removed', before: old[key] });
  }
}

/** Both objects, or both lists. */
function areAlike(a: unknown, b: unknown): boolean {
  return typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && Array.isArray(a) === Array.isArray(b);
}

function join(path: string, key: string, inList: boolean): string {
  if (inList) return `${path}[${key}]`;
  return path ? `${path}.${key}` : key;
}
