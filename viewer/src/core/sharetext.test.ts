import { describe, expect, it } from 'vitest';
import { shareMarkdown, type Shared } from './sharetext';

const run: Shared = { name: 'research', kind: 'run', status: 'completed', durationMs: 125_000, tokens: 12_400, cost: 0.0773 };
const span: Shared = { name: 'read [x]*\nfile', kind: 'tool', status: 'failed', durationMs: 1240, error: 'OSError' };

describe('Markdown to share', () => {
  it('names the span, links it and says which run it is of', () => {
    expect(shareMarkdown(run, span, 'http://host/runs/1?span=2')).toBe(
      [
        '[read \\[x\\]\\* file](http://host/runs/1?span=2)',
        '- tool · failed · 1.24 s',
        '- error: OSError',
        '- in run research: run · completed · 2 min 05 s · 12.4k tokens · $0.0773',
        '',
      ].join('\n'),
    );
  });

  it('is about the run when no span is selected', () => {
    expect(shareMarkdown({ ...run, durationMs: null, status: 'running' }, null, 'l')).toBe(
      '[research](l)\n- run · running · 12.4k tokens · $0.0773\n',
    );
  });
});
