/** The views of the run list that a reader has named; kept in local storage and the same in all tabs. */

import { readViews, withoutView, withView, type SavedView } from '../core/savedviews';

const KEY = 'milepost.views';

class SavedViews {
  views = $state.raw<SavedView[]>(read());

  constructor() {
    addEventListener('storage', (event) => event.key === KEY && (this.views = read()));
  }

  save(name: string, search: string): void {
    this.keep(withView(read(), name, search));
  }

  remove(name: string): void {
    this.keep(withoutView(read(), name));
  }

  private keep(views: SavedView[]): void {
    this.views = views;
    try {
      localStorage.setItem(KEY, JSON.stringify(views));
    } catch {
      return; // storage switched off or full: the view lasts as long as the page
    }
  }
}

function read(): SavedView[] {
  try {
    return readViews(localStorage.getItem(KEY));
  } catch {
    return []; // as above
  }
}

export const savedViews = new SavedViews();
