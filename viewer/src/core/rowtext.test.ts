import { describe, expect, it } from 'vitest';
import { storeOf } from './arbitraries';
import { groupText, isPath, nodeLabel, sideText, spanOf, statusText } from './rowtext';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';

const call = (i: number, fields: Partial<SpanSkeleton> = {}): SpanSkeleton => ({
  span_id: `s${i}`, parent_span_id: 'gone', name: 'read', kind: 'tool', status: 'completed', start_ns: i, end_ns: i + 1, ...fields,
});

describe('what a row says', () => {
  it('is the name of a span, of what a group repeats, or the id that is missing', () => {
    const store = storeOf([0, 1, 2, 3, 4].map((i) => call(i)));
    const tree = buildTree(store);
    const [missing, group] = [tree.spanCount, tree.spanCount + 1];
    expect([missing, group, 3].map((node) => nodeLabel(tree, store, node))).toEqual(['gone', 'read', 'read']);
    expect([missing, group, 3].map((node) => spanOf(tree, node))).toEqual([-1, 0, 3]);
    expect([missing, group, 3].map((node) => groupText(tree, node))).toEqual(['', '×5', '']);
  });

  it('counts tries', () => {
    const tree = buildTree(storeOf([call(0, { attempt: 1 }), call(1, { attempt: 2 })]));
    expect(groupText(tree, tree.spanCount + 1)).toBe('2 tries');
  });

  it('names the model or tool unless the name does', () => {
    const store = storeOf([
      call(0, { name: 'chat gpt-4o', model: 'gpt-4o-2024-08-06' }), call(1, { name: 'ask', model: 'gpt-4o' }), call(2, { tool: 'files' }), call(3),
    ]);
    expect([0, 1, 2, 3].map((row) => sideText(store, row))).toEqual(['', 'gpt-4o', 'files', '']);
  });

  it('says how a span stands when that is not simply completed', () => {
    expect(statusText('completed', true)).toBeNull();
    expect(statusText('running', true)).toBe('running');
    expect(statusText('running', false)).toBe('open');
    expect(statusText('lost', false)).toBe('lost');
  });

  it('knows paths by their slashes', () => {
    expect(['docs/a.md', '/etc', 'https://host/x'].every(isPath)).toBe(true);
    expect(['and / or', 'plain', ''].some(isPath)).toBe(false);
  });
});
