import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentAddress, expectedText, IMAGE_LIMIT, JSON_LIMIT, previewKind, saidResult, type Deliverable } from './deliverable';

const made = (some: Partial<Deliverable>): Deliverable => ({
  name: 'a', version: 1, type: 'file', content_type: 'text/plain', size_bytes: 1, sha256: '', created_at: '', task_id: 't',
  attempt: 1, run_id: null, span_id: null, agent: null, by: null, ...some,
});

describe('what is shown of a content', () => {
  it.each([
    ['text/plain; charset=utf-8', 'text'],
    ['TEXT/HTML', 'text'],
    ['image/svg+xml', 'text'],
    ['application/xml', 'text'],
    ['application/json', 'json'],
    ['application/ld+json', 'json'],
    ['image/png', 'image'],
    ['application/pdf', 'none'],
    ['application/octet-stream', 'none'],
    ['', 'none'],
  ])('%s is %s', (content_type, kind) => expect(previewKind(made({ content_type }))).toBe(kind));

  it('is less of what is large', () => {
    expect(previewKind(made({ content_type: 'image/png', size_bytes: IMAGE_LIMIT + 1 }))).toBe('none');
    expect(previewKind(made({ content_type: 'application/json', size_bytes: JSON_LIMIT + 1 }))).toBe('text');
  });

  it('is never an image unless it is a bitmap', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string().map((end) => `image/${end}`)), (content_type) => {
        if (previewKind(made({ content_type })) === 'image') expect(content_type).toMatch(/image\/(png|jpeg|gif|webp|avif|bmp)/i);
      }),
    );
  });
});

it('an address carries any name as one part', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      const parts = contentAddress(made({ name })).split('?')[0]!.split('/');
      expect(parts).toHaveLength(6);
      expect(decodeURIComponent(parts[4]!)).toBe(name);
    }),
  );
});

it('contents of runs have addresses too', () => {
  expect(contentAddress(made({ task_id: null, run_id: 'r' }), true)).toBe('api/runs/r/deliverables/a/content?version=1&download=true');
});

it('expectations are told by name and type', () => {
  expect(expectedText({ met: false, type: 'report' })).toBe('type report');
  expect(expectedText({ met: false, name: 'a.pdf', type: 'report' })).toBe('a.pdf of type report');
});

describe('a result', () => {
  it('is taken apart when it says something of itself', () => {
    const said = saidResult({ value: 3, summary: 'Three.', insights: ['odd'] });
    expect(said).toEqual({ summary: 'Three.', insights: ['odd'], recommendations: [], rest: 3 });
    expect(saidResult({ summary: 'x', pages: 3 })?.rest).toEqual({ pages: 3 });
    expect(saidResult({ summary: 'x' })?.rest).toBeUndefined();
  });

  it.each([null, 3, 'summary', [], {}, { summary: 3 }, { insights: [1] }, { summary: '', insights: [] }])('%j says nothing', (result) =>
    expect(saidResult(result)).toBeNull());
});
