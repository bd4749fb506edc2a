import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpointKey, findKept, keptBy, whyNotResumed, type Kept } from './resume';
import { TASK_STATUSES } from './task';
import { taskOf } from './taskarbitraries';

const names = fc.constantFrom(null, 'page', 'draft');
const states = fc.jsonValue({ maxDepth: 1 });
const recorded = fc.array(fc.record({ name: names, body: states, isKept: fc.boolean() }), { maxLength: 12 });
const asKept = (sequence: number, name: string | null, state: unknown): Kept => ({ sequence, name, state, attempt: 1, agent: null, copy_of: null });

describe('kept checkpoints', () => {
  it('are found by name and state among what only the run recorded; what is found has the state that was kept', () => {
    fc.assert(
      fc.property(recorded, (list) => {
        const events = list.map(({ name, body }, i) => ({ time: `t${i}`, name, body }));
        const kept = list.flatMap(({ name, body, isKept }, i) => (isKept ? [asKept(i + 1, name, body)] : []));
        const found = findKept(events, kept);
        expect(new Set(found.values())).toEqual(new Set(kept.map(({ sequence }) => sequence)));
        for (const event of events) {
          const one = kept.find(({ sequence }) => sequence === found.get(checkpointKey(event)));
          if (one) expect(JSON.stringify([one.name, one.state])).toBe(JSON.stringify([event.name, event.body]));
        }
      }),
    );
  });

  it('are found by their order where the run recorded them cut', () => {
    const events = [1, 2, 3].map((i) => ({ time: `t${i}`, name: 'page', body: { cut: true } }));
    const kept = [4, 7, 9].map((sequence) => asKept(sequence, 'page', { sequence }));
    expect([...findKept(events, kept).values()]).toEqual([4, 7, 9]);
  });

  it('do not depend on the order of keys', () => {
    const events = [{ time: 't1', name: 'a', body: { x: 1, y: [2] } }, { time: 't2', name: 'a', body: {} }];
    expect(findKept(events, [asKept(3, 'a', { y: [2], x: 1 })])).toEqual(new Map([['t1 a', 3]]));
  });

  it('are those of the attempt, in order, without copies', () => {
    const kept = [asKept(5, 'b', 1), { ...asKept(2, 'a', 1), agent: 'x' }, { ...asKept(3, 'c', 1), copy_of: 2 }, { ...asKept(4, 'd', 1), attempt: 2 }];
    expect(keptBy(kept, { attempt: 1, agent: 'x' }).map(({ sequence }) => sequence)).toEqual([2, 5]);
    expect(keptBy(kept, { attempt: 1, agent: 'y' }).map(({ sequence }) => sequence)).toEqual([5]);
  });
});

it('says of every status why a task cannot resume, and nothing where it can', () => {
  const can = TASK_STATUSES.filter((status) => whyNotResumed(taskOf('t', { status })) === null);
  expect(can).toEqual(['paused', 'failed', 'cancelled']);
  expect(whyNotResumed(taskOf('t', { status: 'in_progress' }))).toContain('in progress. It can resume');
});
