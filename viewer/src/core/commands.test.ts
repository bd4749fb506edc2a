import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byGroup, findCommands } from './commands';

const command = (title: string, group = 'Pages', words = '') => ({ title, group, words });
const ALL = [command('Runs'), command('Schedules', 'Pages', 'cron'), command('Zoom in', 'Time'), command('Collapse idle', 'Time')];
const titles = (query: string) => findCommands(ALL, query).map((found) => found.title);

describe('finding commands', () => {
  it('prefers what begins as typed', () => {
    expect(titles('in')).toEqual(['Zoom in']);
    expect(titles('time z')).toEqual(['Zoom in']);
    expect(titles('cron')).toEqual(['Schedules']);
    expect(titles('coid')).toEqual(['Collapse idle']);
    expect(titles('s')[0]).toBe('Schedules');
    expect(titles('seds')).toEqual([]);
    expect(titles('xyz')).toEqual([]);
  });

  it('gives all of them for nothing, in their order', () => {
    expect(titles('  ')).toEqual(ALL.map((one) => one.title));
  });

  it('finds everything by its own title, and nothing that is not there', () => {
    const some = fc.array(fc.record({ title: fc.stringMatching(/^\w{1,8}( \w{1,8})?$/), group: fc.constantFrom('a', 'b') }), { minLength: 1 });
    fc.assert(
      fc.property(some, fc.nat(), (items, at) => {
        const wanted = items[at % items.length];
        const found = findCommands(items, wanted.title);
        expect(found).toContain(wanted);
        expect(items).toEqual(expect.arrayContaining(found));
      }),
    );
  });

  it('keeps groups together', () => {
    const mixed = [command('1', 'a'), command('2', 'b'), command('3', 'a')];
    expect(byGroup(mixed).map(({ group, items }) => [group, items.map((one) => one.title)])).toEqual([['a', ['1', '3']], ['b', ['2']]]);
  });
});
