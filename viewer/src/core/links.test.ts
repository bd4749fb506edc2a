import { expect, it } from 'vitest';
import { readLinks } from './links';

const runId = 'a'.repeat(32);
const spanId = 'b'.repeat(16);

it('links are followed by their ids', () => {
  expect(readLinks([{ run_id: runId, span_id: spanId, attributes: { n: 1 } }])).toMatchObject([{ runId, spanId, attributes: { n: 1 } }]);
});

it('links without usable ids are kept as they came', () => {
  for (const raw of [null, 'x', {}, { run_id: '../admin', span_id: spanId }, { run_id: 7 }]) {
    expect(readLinks([raw])).toMatchObject([{ runId: null, attributes: null, raw }]);
  }
  expect(readLinks({})).toEqual([]);
});
