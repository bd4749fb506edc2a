/** Names for addresses of the run list: some that everyone has, and those a reader keeps. */

export interface SavedView {
  readonly name: string;
  /** "" or "?status=failed…". */
  readonly search: string;
}

export const BUILT_IN: readonly SavedView[] = [
  { name: 'All runs', search: '' },
  { name: 'Running now', search: '?status=running' },
  { name: 'Failed, last 24 hours', search: '?status=failed&status=lost&from=now-24h' },
  { name: 'Any error, last 24 hours', search: '?q=has%3Aerror&from=now-24h' },
  { name: 'Costliest, last 24 hours', search: '?from=now-24h&sort=-cost_usd' },
  { name: 'Slowest, last 24 hours', search: '?from=now-24h&sort=-duration_ms' },
  { name: 'Most tokens, last 7 days', search: '?from=now-7d&sort=-total_tokens&cols=status,name,agent,started,tokens,input,cached,output,reasoning,cost' },
  { name: 'By session', search: '?group=session' },
];

const MOST = 100;
const MOST_LETTERS = 80;

/** What local storage held, as far as it can be used: it may be of another version or edited by hand. */
export function readViews(stored: string | null): SavedView[] {
  let found: unknown;
  try {
    found = JSON.parse(stored ?? '[]');
  } catch {
    return [];
  }
  const usable = (one: unknown): one is SavedView => {
    const view = one as SavedView | null;
    return typeof view?.name === 'string' && typeof view.search === 'string' && view.name !== '' && /^(\?|$)/.test(view.search);
  };
  return Array.isArray(found) ? found.filter(usable).map(({ name, search }) => ({ name, search })).slice(0, MOST) : [];
}

/** With one more, or the one of this name changed; in the order of names. */
export function withView(views: readonly SavedView[], name: string, search: string): SavedView[] {
  const clean = name.trim().slice(0, MOST_LETTERS);
  if (!clean) return [...views];
  const others = views.filter((view) => view.name !== clean);
  return [...others, { name: clean, search }].sort((a, b) => a.name.localeCompare(b.name)).slice(0, MOST);
}

export function withoutView(views: readonly SavedView[], name: string): SavedView[] {
  return views.filter((view) => view.name !== name);
}

/** The view that is on screen, if it has a name. */
export function currentView(views: readonly SavedView[], search: string): SavedView | null {
  return [...views, ...BUILT_IN].find((view) => sameSearch(view.search, search)) ?? null;
}

function sameSearch(a: string, b: string): boolean {
  const facts = (search: string) => [...new URLSearchParams(search)].filter(([name]) => name !== 'peek').map(String).sort().join('\n');
  return facts(a) === facts(b);
}
