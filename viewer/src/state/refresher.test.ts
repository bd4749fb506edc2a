import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refresher } from './refresher';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A refresher whose answers take so long, and when it asked. */
function refresher(durationMs: number, idleMs = Infinity) {
  const asked: number[] = [];
  const start = Date.now();
  const made = new Refresher(() => {
    asked.push(Date.now() - start);
    return new Promise((resolve) => setTimeout(resolve, durationMs));
  }, () => idleMs);
  return { made, asked };
}

describe('a refresher', () => {
  it('asks at once for a first change, and once for many', async () => {
    const { made, asked } = refresher(10);
    for (let i = 0; i < 50; i++) made.ask();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toEqual([0]);
  });

  it('leaves at least 200 ms between an answer and the next question', async () => {
    const { made, asked } = refresher(10);
    for (let i = 0; i < 100; i++) {
      made.ask();
      await vi.advanceTimersByTimeAsync(10);
    }
    for (let i = 1; i < asked.length; i++) expect(asked[i] - asked[i - 1]).toBeGreaterThanOrEqual(210);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  it('spends at most a quarter of the time waiting', async () => {
    const { made, asked } = refresher(400);
    made.ask();
    await vi.advanceTimersByTimeAsync(100);
    made.ask();
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).toEqual([0, 1600]);
  });

  it('asks by itself when it has been quiet', async () => {
    const { made, asked } = refresher(10, 5000);
    made.ask();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(asked).toEqual([0, 5010, 10_020]);
  });

  it('is silent after its end', async () => {
    const { made, asked } = refresher(10, 1000);
    made.ask();
    await vi.advanceTimersByTimeAsync(5);
    made.close();
    made.ask();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([0]);
  });
});
