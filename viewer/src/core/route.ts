/** Which page an address names, and how addresses are written. All are relative to the page's base. */

export type Route =
  | { page: 'runs' }
  | { page: 'run'; runId: string }
  | { page: 'sql' }
  | { page: 'missing'; path: string };

/** path: what follows the base, without a leading slash. */
export function parseRoute(path: string): Route {
  const clean = path.replace(/\/+$/, '');
  if (clean === '' || clean === 'runs' || clean === 'index.html') return { page: 'runs' };
  if (clean === 'sql') return { page: 'sql' };
  const run = /^runs\/([^/]+)$/.exec(clean);
  if (run) return { page: 'run', runId: decodeURIComponentSafely(run[1]) };
  return { page: 'missing', path };
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % is an id that does not exist, not a crash
  }
}

export function runPath(runId: string): string {
  return `runs/${encodeURIComponent(runId)}`;
}

/** The part of an address below the base; null when the address lies outside it. */
export function pathBelow(base: string, pathname: string): string | null {
  return pathname.startsWith(base) ? pathname.slice(base.length) : null;
}
