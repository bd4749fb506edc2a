/** Where the reader is. Pages and filters are history entries; selecting within a page replaces the entry. */

import { parseRoute, pathBelow, type Route } from '../core/route';

const base = new URL('./', document.baseURI).pathname;

class Router {
  route = $state.raw<Route>(parseRoute(this.path()));
  search = $state(location.search);

  constructor() {
    addEventListener('popstate', () => this.read());
    document.addEventListener('click', (event) => this.onClick(event));
  }

  /** Goes to an address relative to the base, such as "runs/abc?span=1". */
  go(target: string): void {
    history.pushState(null, '', base + target);
    this.read();
  }

  /** Goes to an address without a history entry: what is selected in a page. */
  replace(target: string): void {
    history.replaceState(history.state, '', base + target);
    this.read();
  }

  /** Puts the page's own state into the address without a history entry. */
  replaceSearch(search: string): void {
    if (search === location.search) return;
    history.replaceState(history.state, '', location.pathname + search + location.hash);
    this.search = search;
  }

  /** As replaceSearch, but Back returns to what was shown before. */
  pushSearch(search: string): void {
    if (search === location.search) return;
    history.pushState(null, '', location.pathname + search);
    this.search = search;
  }

  private path(): string {
    return pathBelow(base, location.pathname) ?? location.pathname;
  }

  private read(): void {
    const next = parseRoute(this.path());
    if (JSON.stringify(next) !== JSON.stringify(this.route)) this.route = next;
    this.search = location.search;
  }

  private onClick(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute('download')) return;
    const path = pathBelow(base, link.pathname);
    if (path === null || path.startsWith('api/')) return;
    event.preventDefault();
    this.go(path + link.search + link.hash);
  }
}

export const router = new Router();
