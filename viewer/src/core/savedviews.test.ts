import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRunListView, formatRunListView } from './runlistview';
import { BUILT_IN, currentView, readViews, withoutView, withView } from './savedviews';

describe('saved views', () => {
  it('survive being stored', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }).map((text) => text.trim()).filter(Boolean), { maxLength: 9 }), (names) => {
        const views = names.reduce((held, name, i) => withView(held, name, `?q=${i}`), readViews(null));
        expect(readViews(JSON.stringify(views))).toEqual(views);
        expect(new Set(views.map((view) => view.name))).toEqual(new Set(names));
      }),
    );
  });

  it('leave out what cannot be used', () => {
    for (const stored of ['nonsense', '3', '[null, 5, {"name": 3}]', '[{"name": "x", "search": "https://elsewhere"}]']) expect(readViews(stored)).toEqual([]);
  });

  it('are replaced under the same name and removed', () => {
    const once = withView([], 'mine', '?q=a');
    expect(withView(once, ' mine ', '?q=b')).toEqual([{ name: 'mine', search: '?q=b' }]);
    expect(withoutView(once, 'mine')).toEqual([]);
  });

  it('of everyone are addresses as the page writes them', () => {
    for (const { name, search } of BUILT_IN) {
      expect(currentView([], formatRunListView(parseRunListView(search)))?.name).toBe(name);
    }
  });
});
