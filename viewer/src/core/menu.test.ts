import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepInMenu } from './menu';

const TITLES = ['Retry', 'Cancel', 'Copy link', 'Columns'];

describe('steps in a menu', () => {
  it('go round at both ends', () => {
    expect(stepInMenu(TITLES, 3, 'ArrowDown', '')).toBe(0);
    expect(stepInMenu(TITLES, 0, 'ArrowUp', '')).toBe(3);
    expect(stepInMenu(TITLES, -1, 'ArrowDown', '')).toBe(0);
    expect(stepInMenu(TITLES, -1, 'ArrowUp', '')).toBe(3);
    expect([stepInMenu(TITLES, 2, 'Home', ''), stepInMenu(TITLES, 0, 'End', '')]).toEqual([0, 3]);
  });

  it('find what is typed', () => {
    expect(stepInMenu(TITLES, 0, 'c', 'c')).toBe(1);
    expect(stepInMenu(TITLES, 1, 'c', 'cc')).toBe(2);
    expect(stepInMenu(TITLES, 1, 'o', 'co')).toBe(2);
    expect(stepInMenu(TITLES, 0, 'l', 'col')).toBe(3);
    expect(stepInMenu(TITLES, 0, 'z', 'z')).toBeNull();
  });

  it('stay in the menu', () => {
    const key = fc.constantFrom('ArrowDown', 'ArrowUp', 'Home', 'End', 'c', 'x', 'Enter');
    fc.assert(
      fc.property(fc.array(fc.string()), fc.integer({ min: -1, max: 20 }), key, (titles, here, pressed) => {
        const next = stepInMenu(titles, Math.min(here, titles.length - 1), pressed, pressed);
        if (next !== null) expect(titles[next]).toBeDefined();
      }),
    );
  });
});
