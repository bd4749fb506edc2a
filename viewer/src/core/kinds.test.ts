import { expect, it } from 'vitest';
import { kindGroup, kindShape, KNOWN_KINDS } from './kinds';

it('every kind of the legend has a mark of its own', () => {
  expect(new Set(KNOWN_KINDS.map(kindShape)).size).toBe(KNOWN_KINDS.length);
});

it('kinds nobody knows are neutral, also those that look like built-in properties', () => {
  for (const kind of ['', 'hologram', 'constructor', '__proto__']) {
    expect([kindGroup(kind), kindShape(kind)]).toEqual(['io', 'io']);
  }
});
